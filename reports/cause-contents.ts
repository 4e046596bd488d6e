/**
 * What a relay says, beside what it knows: of a party's addresses, what the party itself has said; of whether a party is there, its own sessions. What it says otherwise the other party acts upon in good
 * faith, and is heard to fail for it.
 */
import { type Books, type Clue, isThere, type Message } from "./cause-books.ts";

/** Of relays that federate, what one knows of a user may be with another: only those that stand alone are held to what is in their own log. */
export function contentClues(books: Books): readonly Clue[] {
  const { parties } = books.evidence.scenario;
  // One of two names the other, and both are linked.
  const linked = new Set(
    Object.entries(parties).flatMap(([who, { federatesWith = [] }]) => (federatesWith.length > 0 ? [who, ...federatesWith] : [])),
  );
  const alone = books.relays.filter((who) => !linked.has(who));
  return alone.flatMap((who) => [...addressesOfOthers(books, who), ...presence(books, who)]);
}

const clueOf = (party: string, at: number, says: string): Clue => ({ at, component: "relay", party, weight: "firm", says });

/** A set-up tells each party addresses that the other one has said. */
function addressesOfOthers(books: Books, who: string): readonly Clue[] {
  const all = books.messages(who);
  return all.flatMap((said): Clue[] => {
    if (said.dir !== "sent" || said.type !== "CallSetup" || said.addresses === undefined) return [];
    const heard = (isOwn: boolean): ReadonlySet<string> =>
      new Set(
        all.flatMap((m) =>
          m.dir === "received" && m.call === said.call && m.t <= said.t && (m.session === said.session) === isOwn
            ? (m.addresses ?? [])
            : [],
        ),
      );
    const [own, others] = [heard(true), heard(false)];
    const odd = said.addresses.find((one) => !others.has(one));
    if (odd === undefined) return [];
    return [
      clueOf(
        who,
        said.t,
        own.has(odd)
          ? "told a party its own addresses for its peer's"
          : `told a party that its peer is at ${odd}, which its peer never said`,
      ),
    ];
  });
}

/** Who takes a call up is told that the other one is there when another session of the relay carries the call, and only then. */
function presence(books: Books, who: string): readonly Clue[] {
  const all = books.messages(who);
  return all.flatMap((said): Clue[] => {
    if (said.dir !== "sent" || said.type !== "CallResumed" || said.present === undefined) return [];
    if (books.wasAway(who, said.t, said.t)) return [];
    const others = carriers(books, who, all, said);
    if (said.present && others.length === 0)
      return [clueOf(who, said.t, "said that a call's other party was there, which was not")];
    const isFound = others.some(({ id }) => isThere(books.session(who, id, said.t), said.t, said.t));
    return !said.present && isFound ? [clueOf(who, said.t, "said that a call's other party was not there, which was")] : [];
  });
}

/** Other sessions that are open at the instant and by which the relay has set this call up or resumed it, since it was started last. */
function carriers(books: Books, who: string, all: readonly Message[], said: Message): readonly { readonly id: number }[] {
  return books
    .sessions(who)
    .filter(
      ({ id, opened, closed }) =>
        id !== said.session &&
        opened <= said.t &&
        closed > said.t &&
        all.some(
          (m) =>
            m.session === id &&
            m.t >= opened &&
            m.t <= said.t &&
            m.call === said.call &&
            (m.dir === "sent" ? m.type === "CallSetup" || m.type === "CallResumed" : m.type === "CallResume"),
        ),
    );
}

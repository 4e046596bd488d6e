/**
 * What parties owe each other by the protocol, whatever a scenario asks: each word that has to be answered, passed on, acted upon or said again. Who had what obliges it, was
 * there, and did not do it, is named. A duty is in this table when no run of sound code leaves it undone, which a test holds it to.
 */
import { type Books, type Clue, isAccepted, isThere, type Message, type Session } from "./cause-books.ts";

/** From a word to what it asks for, when nobody has to think. chosen: more than a busy process takes. */
const AT_ONCE = 250_000;

/** One duty: on hearing `hears`, to do one of `does`. */
type Duty = {
  readonly hears: string;
  /** Types of messages that do it: on the session it came by, or on another one. */
  readonly back?: readonly string[];
  readonly on?: readonly string[];
};

const OVER = ["Hangup", "DirectCallAnswer", "Refusal"];
const PASSED = "FederatedSignalForward";

/** A relay's duties. What it passes on goes to whoever of the call is there. */
const RELAYS: readonly Duty[] = [
  { hears: "Register", back: ["RegisterAck", "RelayDraining"] },
  { hears: "Reflect", back: ["ReflectResponse"] },
  { hears: "Hangup", back: ["HangupAck"] },
  { hears: "CallResume", back: ["CallResumed", ...OVER] },
  { hears: "DirectCallOffer", back: OVER, on: ["DirectCallOffer", PASSED] },
  { hears: "DirectCallAnswer", back: ["Hangup"], on: ["DirectCallAnswer", PASSED] },
  { hears: "CallResume", back: OVER, on: ["CallResumed", "CallResume", PASSED] },
  { hears: "Hangup", on: ["Hangup", PASSED] },
  { hears: "Ringing", on: ["Ringing", PASSED] },
  { hears: "CandidateUpdate", on: ["CandidateUpdate", PASSED] },
  { hears: "MediaPathReport", on: ["MediaPathReport", PASSED] },
];

/** A client's duties towards its relay; those towards its own call are below. */
const CLIENTS: readonly Duty[] = [
  { hears: "DirectCallOffer", back: ["Ringing", ...OVER] },
  { hears: "Hangup", back: ["HangupAck"] },
];

export const dutyClues = (books: Books): readonly Clue[] =>
  Object.keys(books.evidence.scenario.parties).flatMap((who) =>
    books.isRelay(who)
      ? [
          ...answers(books, who, RELAYS),
          ...setUps(books, who),
          ...unasked(books, who),
          ...drains(books, who),
          ...signsOfLife(books, who),
          ...givesUp(books, who),
        ]
      : [...answers(books, who, CLIENTS)],
  );

function answers(books: Books, who: string, duties: readonly Duty[]): readonly Clue[] {
  const clues: Clue[] = [];
  const all = books.messages(who);
  for (const [i, heard] of all.entries()) {
    if (heard.dir !== "received") continue;
    const until = heard.t + AT_ONCE;
    const own = books.session(who, heard.session, heard.t);
    for (const { hears, back = [], on } of duties) {
      if (hears !== heard.type || books.wasAway(who, heard.t, until)) continue;
      if (on === undefined && !isThere(own, heard.t, until)) continue;
      if (isRefused(books, who, heard.t)) continue;
      if (on !== undefined && isSettled(books, who, heard)) continue;
      const other = on === undefined ? undefined : othersOf(books, who, heard, until);
      if (on !== undefined && other === undefined) continue;
      const isDone = all
        .slice(i + 1)
        .some(
          (said) =>
            said.t <= until &&
            said.dir === "sent" &&
            (said.call === heard.call || said.type === PASSED || said.call === undefined) &&
            (said.session === heard.session ? back.includes(said.type) : (on ?? []).includes(said.type)),
        );
      // A repeated word is answered as the first was, or was answered already.
      if (isDone) continue;
      const wanted = on === undefined ? back[0] : on[0];
      clues.push({
        ...{ at: heard.t, component: books.side(who), party: who, weight: "firm" },
        says: `received a ${heard.type} and ${on === undefined ? "answered with no" : "passed on no"} ${wanted}`,
      });
    }
  }
  return clues;
}

/** What comes in is refused, for a reason, at that instant. */
const isRefused = (books: Books, who: string, at: number): boolean =>
  books.of(who).some((one) => one.ev === "refused" && one.t === at);

/** A call that both have hung up by now has nobody to pass a word on to; where relays move calls among each other, who carries one is not in the log of one. */
const isSettled = (books: Books, who: string, heard: Message): boolean =>
  (heard.type === "CallResume" && books.relays.length > 1) ||
  (heard.type === "Hangup" &&
    books.messages(who).some(({ type, call, t }) => type === "Hangup" && call === heard.call && t < heard.t));

/** A session, not the one a message came by, on which this call's other party has spoken or been spoken to, and which is there. */
function othersOf(books: Books, who: string, heard: Message, until: number): Session | undefined {
  const all = books.messages(who);
  const isOffer = heard.type === "DirectCallOffer";
  const ids = new Set(
    all.flatMap((one) =>
      one.t <= heard.t &&
      one.session !== heard.session &&
      (isOffer
        ? one.dir === "sent" && one.type === "RegisterAck" && one.ok === true
        : one.call === heard.call && one.call !== undefined)
        ? [one.session]
        : [],
    ),
  );
  // Among more than two, who is meant is not in the log.
  if (isOffer && (books.relays.length > 1 || books.evidence.clients.length > 2)) return undefined;
  /** A relay that was started anew counts its sessions from the first again. */
  const isOf = (one: Session | undefined): boolean =>
    isOffer || all.some(({ t, session, call }) => session === one?.id && call === heard.call && t >= one.opened && t <= heard.t);
  const alive = [...ids].flatMap((id) => {
    const one = books.session(who, id, heard.t);
    return isThere(one, heard.t, until) && isOf(one) ? [one] : [];
  });
  return alive.at(-1);
}

/** An answer that accepts makes a relay set the call up at both. */
function setUps(books: Books, who: string): readonly Clue[] {
  const all = books.messages(who);
  const clues: Clue[] = [];
  for (const heard of all) {
    if (heard.dir !== "received" || heard.type !== "DirectCallAnswer") continue;
    if (
      !isAccepted(books.evidence, heard.call) ||
      books.wasAway(who, heard.t, heard.t + AT_ONCE) ||
      isRefused(books, who, heard.t)
    )
      continue;
    // One that was given twice may have been a refusal too.
    const given = books.evidence.records.filter(
      (one) =>
        one.ev === "signal" &&
        one.dir === "sent" &&
        one.type === heard.type &&
        one.call === heard.call &&
        !books.isRelay(one.who),
    );
    if (given.some(({ t }) => given.some((other) => other.t > t && other.t - t < AT_ONCE))) continue;
    const passed = all.some(
      (one) => one.dir === "sent" && one.type === heard.type && one.call === heard.call && one.t === heard.t,
    );
    const sent = all.filter(
      (one) => one.dir === "sent" && one.type === "CallSetup" && one.call === heard.call && one.t === heard.t,
    );
    if (passed && !sent.some(({ session }) => session === heard.session))
      clues.push(clueOf(books, who, heard.t, "passed a DirectCallAnswer on and did not set the call up at who gave it"));
    else if (passed && books.relays.length === 1 && !sent.some(({ session }) => session !== heard.session))
      clues.push(clueOf(books, who, heard.t, "passed a DirectCallAnswer on and did not set the call up at the caller's"));
  }
  return clues;
}

const clueOf = (books: Books, party: string, at: number, says: string, weight: Clue["weight"] = "firm"): Clue => ({
  ...{ at, component: books.side(party), party, says, weight },
});

/** What a relay has to do without being asked: tell a client its new address, and give nobody their own voice. */
function unasked(books: Books, who: string): readonly Clue[] {
  const clues: Clue[] = [];
  for (const one of books.of(who)) {
    if (one.ev === "relayed" && one.from === one.to) clues.push(clueOf(books, who, one.t, "sent a party's voice back to itself"));
    if (one.ev !== "session" || one.state !== "path-changed" || one.session >= 0) continue;
    if (books.wasAway(who, one.t, one.t + AT_ONCE)) continue;
    const own = books.messages(who).filter(({ session, dir }) => session === one.session && dir === "sent");
    const isRegistered = own.some(({ t, type }) => type === "RegisterAck" && t < one.t);
    const isTold = own.some(({ t, type }) => type === "ReflectResponse" && t >= one.t && t <= one.t + AT_ONCE);
    if (isRegistered && !isTold)
      clues.push(clueOf(books, who, one.t, "saw a client's address change and did not tell the client"));
  }
  return clues;
}

/** A relay that drains tells every client that is registered, and where to go where there is another relay. */
function drains(books: Books, who: string): readonly Clue[] {
  const begun = books.of(who).find((one) => one.ev === "drain" && one.state === "begun");
  if (begun?.ev !== "drain" || begun.sessions === 0) return [];
  const told = books
    .messages(who)
    .filter(({ dir, type, t }) => dir === "sent" && type === "RelayDraining" && t >= begun.t && t <= begun.t + AT_ONCE);
  if (told.length === 0) return [clueOf(books, who, begun.t, "drains without a word to its clients")];
  const isNowhere = books.evidence.records.some(
    (one) => one.ev === "note" && one.t >= begun.t && one.text.includes("draining, 0 alternatives"),
  );
  return isNowhere && books.relays.length > 1
    ? [clueOf(books, who, begun.t, "told its clients to leave and named no relay to go to")]
    : [];
}

/** Questions in a second that are no stray. chosen: half of what one client asks while it looks for its relay. */
const ASKED = 5;

/** A relay that is asked by STUN for a sign of life gives one, which who asked can take for one. */
function signsOfLife(books: Books, who: string): readonly Clue[] {
  const counts = (name: string) =>
    books.of(name).flatMap((one) => (one.ev === "network" && one.stunReceived !== undefined ? [one] : []));
  const clues: Clue[] = [];
  const own = counts(who);
  for (const [i, now] of own.entries()) {
    const before = own[i - 1];
    const isStopped = books
      .of(who)
      .some(
        (one) =>
          one.ev === "process" &&
          one.state !== "started" &&
          one.state !== "resumed" &&
          one.t >= (before?.t ?? 0) &&
          one.t <= now.t,
      );
    if (before === undefined || isStopped) continue;
    const asked = (now.stunReceived ?? 0) - (before.stunReceived ?? 0);
    const answered = (now.stunSent ?? 0) - (before.stunSent ?? 0);
    if (asked < ASKED) continue;
    if (answered === 0)
      clues.push(clueOf(books, who, before.t, `was asked ${asked} times by STUN for a sign of life and gave none`));
    for (const name of books.evidence.clients) {
      const heard = counts(name).filter(({ t }) => t > before.t && t <= now.t + 1_000_000);
      const got = (heard.at(-1)?.stunReceived ?? 0) - (heard[0]?.stunReceived ?? 0);
      const changes = books.registrations(name);
      const isAway = changes.findLast(({ t }) => t <= before.t)?.state === "reconnecting";
      const isHeeded = changes.some(({ t, reason }) => reason === "relay answers" && t >= before.t && t <= now.t + 1_000_000);
      const isConnected = books
        .sessions(name)
        .some(({ id, connected, closed }) => id > 0 && connected <= now.t + 1_000_000 && closed > before.t);
      if (got >= ASKED && isAway && !isHeeded && !isConnected && !books.wasAway(name, before.t, now.t))
        clues.push({
          ...clueOf(
            books,
            who,
            before.t,
            `answered ${answered} questions by STUN in a way that ${name} could not take for answers`,
            "amount",
          ),
          component: "wire",
        });
    }
  }
  return clues;
}

/** A relay waits so long for a party that is away (impl/core/relay.ts), and tells the other within a round trip of its next look. */
const GIVEN_UP = 63_000_000;

/** A relay ends a call for a party that is left alone in it, and for no other. */
function givesUp(books: Books, who: string): readonly Clue[] {
  const clues: Clue[] = [];
  const { calls, clients } = books.evidence;
  for (const { id, parties } of calls) {
    const said = books.messages(who).filter(({ call }) => call === id);
    const hangUp = said.find(({ dir, type }) => dir === "sent" && type === "Hangup");
    const isOwn =
      hangUp !== undefined &&
      !clients.some((name) =>
        books.messages(name).some((m) => m.call === id && m.dir === "sent" && m.type === "Hangup" && m.t <= hangUp.t),
      );
    const names = [...parties.keys()];
    if (
      isOwn &&
      names.length === 2 &&
      books.relays.length === 1 &&
      names.every((name) => standsIn(books, name, id, hangUp.t, hangUp.t - 2_000_000))
    )
      clues.push(clueOf(books, who, hangUp.t, "ended a call whose parties were both in it"));
    for (const name of names) {
      const other = names.find((one) => one !== name);
      const gone = other === undefined ? undefined : goneAt(books, other, id);
      if (gone === undefined) continue;
      const until = gone + GIVEN_UP;
      if (books.wasAway(who, gone, until) || !isWith(books, name, who) || !standsIn(books, name, id, until, gone + 1_000_000))
        continue;
      const isTold = books
        .messages(name)
        .some((m) => m.dir === "received" && m.type === "Hangup" && m.call === id && m.t >= gone);
      if (!isTold) clues.push(clueOf(books, who, until, `never told ${name} that ${other} was gone`));
    }
  }
  return clues;
}

/** Whether the relay that a client was first told to be with is this one, and none other is. */
const isWith = (books: Books, name: string, relay: string): boolean =>
  books.relays.length === 1 ||
  (books.evidence.scenario.parties[name]?.relay === relay &&
    !books.evidence.records.some((one) => one.ev === "action" && one.who === name));

/** Whether a client was registered and in this call, ringing included, without a break in a span. */
function standsIn(books: Books, who: string, call: string, to: number, from: number): boolean {
  const [state] = books
    .calls(who)
    .filter((one) => one.call === call && one.t <= to)
    .slice(-1);
  const [registration] = books
    .registrations(who)
    .filter(({ t }) => t <= to)
    .slice(-1);
  return (
    state !== undefined &&
    state.state !== "ended" &&
    state.state !== "resuming" &&
    state.t <= from &&
    !books.of(who).some((one) => one.ev === "process" && one.state === "killed" && one.t >= state.t && one.t <= to) &&
    registration?.state === "registered" &&
    registration.t <= from &&
    to < books.stopOf(who) &&
    !books.wasAway(who, from, to)
  );
}

/** When a client was killed in a call of which it never spoke again. */
function goneAt(books: Books, who: string, call: string): number | undefined {
  const killed = books.of(who).findLast((one) => one.ev === "process" && one.state === "killed")?.t;
  const speaks = books
    .of(who)
    .some((one) => (one.ev === "call" || one.ev === "signal") && one.call === call && one.t > (killed ?? 0));
  return killed === undefined || speaks ? undefined : killed;
}

/**
 * What refusals tell. Parties of one system that keep its protocol have next to nothing to refuse of each other: a refusal says that two parts disagree, and its reason
 * between which. How many of a kind sound code makes, while sessions come and go, is the table's least.
 */
import type { LogRecord, RefusedRecord } from "../impl/base/record.ts";
import { type Books, type Clue, isAccepted, type Message } from "./cause-books.ts";

type Refusal = LogRecord & RefusedRecord;

/** More than sound code refuses in any run of the catalogue: packets of a session or path that has just changed, twice as many. */
const STRAYS = 64;
const FEW = 3;
/** Packets that no key opens while headers are in doubt: three times what a change of session leaves behind. */
const UNOPENED = 24;
/** Packets opened first, so that key and both forms of header are the right ones. chosen: of the first 17 packets of a run six have full headers (impl/core/header-run.ts), and eleven are mini frames. */
const OPENED_FIRST = 16;
/** From a message's leaving to its arrival on a session that lives, repaired losses included. */
const ARRIVES = 3_000_000;

/** What a relay may have to refuse of another one while users come and go between them, and what is the first thing to look at when all else is in order. */
const BETWEEN_RELAYS = /forward|another relay|trunk|announced/;
const DOUBTFUL: ReadonlySet<string> = new Set(["unknown-call", "unauthenticated", "replayed"]);

export function complaintClues(books: Books): readonly Clue[] {
  const { faults } = books.evidence.scenario;
  const isTampered = faults.some((one) => one.kind === "signalling" || (one.kind === "impair" && (one.link.corrupt ?? 0) > 0));
  const clues: Clue[] = [];
  for (const who of Object.keys(books.evidence.scenario.parties)) {
    const counted = new Map<string, number>();
    for (const one of books.of(who)) {
      if (one.ev !== "refused") continue;
      const key = `${one.reason} ${one.what}`;
      const count = (counted.get(key) ?? 0) + 1;
      counted.set(key, count);
      const clue = judged(books, who, one, Math.max(count, count >= 16 ? one.count / 2 : 0), isTampered);
      if (clue !== undefined) clues.push({ at: one.t, weight: "firm", ...clue });
      else if (books.isRelay(who) && DOUBTFUL.has(one.reason) && BETWEEN_RELAYS.test(one.what))
        clues.push({
          at: one.t,
          weight: "taste",
          component: "relay",
          party: who,
          says: `refused a ${one.what} as ${one.reason}`,
        });
    }
  }
  return isTampered ? clues : [...clues, ...lostMessages(books), ...misreadAddresses(books)];
}

type Blame = Pick<Clue, "component" | "party" | "says">;

function judged(books: Books, who: string, one: Refusal, count: number, isTampered: boolean): Blame | undefined {
  const { reason, what } = one;
  const side = books.side(who);
  const says = `refused ${what === "datagram" ? "datagrams" : `a ${what}`} as ${reason}`;
  const blame = (component: Clue["component"], more = ""): Blame => ({ component, party: who, says: `${says}${more}` });
  const isMedia = what === "media packet";
  switch (reason) {
    case "malformed":
    case "unknown-type":
    case "oversized":
      if (isTampered) return undefined;
      // A packet that a key has opened is as it was sealed: what cannot be read is what was sealed in it.
      if (isMedia && isOpened(books, who, one.t))
        return blame("playout", ": it had been opened, so what was sealed in it is wrong");
      // It was read; what could not be used is what it says: keys.
      if (!isRead(books, who, one)) return blame("wire");
      // A refusal carries no share: who takes it for an answer without one has misunderstood it.
      return what === "DirectCallAnswer" && !isAccepted(books.evidence, callOf(books, who, one))
        ? blame("client", ", which was a refusal")
        : blame("protection", ": it could make no keys of it");
    case "unauthentic":
      if (!isMedia)
        return hasOpened(books, who, one.t + 1_000_000) ? blame("client") : blame("protection", ": it proves the call's keys");
      return count < UNOPENED || isTampered
        ? undefined
        : interleaved(books, who, one)
          ? blame("wire", ": under a key that opened others, so what differs is the header")
          : blame("protection");
    case "replayed":
      if (isMedia) return count < UNOPENED ? undefined : blame("protection", ", which had not been opened");
      if (what.includes("announced") && hasNobodyMoved(books, one.t))
        return blame(side, ", of users who had registered but once");
      return count < FEW ? undefined : blame(side);
    case "forged-signature":
      if (isTampered) return undefined;
      // Equal evidence against who signs and who checks: shares are the protection's matter at both ends, proofs made of them the sender's.
      return what.startsWith("DirectCall")
        ? blame("protection", ": the two sides sign and check different things")
        : {
            component: "client",
            party: senderOf(books, who, one),
            says: `sent a ${what} that ${who} could not verify: signed otherwise than it is checked`,
          };
    case "limit":
      if (what.includes("drains") || isCrowd(books)) return undefined;
      return blame(side, ", of clients that asked for no more than a call needs");
    case "unexpected":
      if (isMedia)
        return count < UNOPENED / 3
          ? undefined
          : hasKeys(books) && !hasOpened(books, who, one.t)
            ? blame("wire", ": with the right keys")
            : blame("protection", ": its header leans on one that never came");
      if (what.startsWith("STUN") || what === "incoming session" || isTampered) return undefined;
      return count < FEW ? undefined : blame(side);
    case "unauthenticated":
      if (what === "datagram")
        return count < STRAYS || isTampered ? undefined : blame("client", " from clients that had not registered yet");
      if (what === "datagram of a direct session") return count < STRAYS ? undefined : blame("client");
      return count < FEW || isTampered ? undefined : blame(side);
    case "unknown-call":
      if (what === "datagram" || what.includes("trunk") || what.startsWith("media for"))
        return count < STRAYS * (what === "datagram" ? 1 : 8)
          ? undefined
          : (untaken(books, who, one) ?? blame(side, ": voice of a call that it should know"));
      return count < FEW || isTampered ? undefined : blame(side);
    default:
      return undefined;
  }
}

/** The last client that said what `who` refused. */
const senderOf = (books: Books, who: string, one: Refusal): string =>
  books.evidence.records.findLast(
    (m) => m.ev === "signal" && m.dir === "sent" && m.type === one.what && m.who !== who && m.t < one.t,
  )?.who ?? who;

/** So many that limits are meant for them. */
const isCrowd = ({ evidence: { clients } }: Books): boolean => clients.length > 8;

/** A client that sends voice on a session by which its relay has not taken the call up. */
function untaken(books: Books, relay: string, { t, what }: Refusal): Blame | undefined {
  if (!books.isRelay(relay) || what !== "datagram") return undefined;
  const said = books.messages(relay).filter((m) => m.dir === "sent" && m.t <= t);
  const open = books.sessions(relay).filter(({ id, opened, closed }) => id < 0 && opened <= t && closed > t);
  const sent = (id: number, opened: number, ...types: string[]): boolean =>
    said.some((m) => m.session === id && m.t >= opened && types.includes(m.type));
  const isUntaken = open.some(
    ({ id, opened }) => sent(id, opened, "RegisterAck") && !sent(id, opened, "CallSetup", "CallResumed"),
  );
  const [party = relay] = books.evidence.clients.filter((name) => books.calls(name).some(({ state }) => state === "active"));
  return isUntaken
    ? { component: "client", party, says: `sent voice to ${relay} on a session by which the call was never taken up` }
    : undefined;
}

const callOf = (books: Books, who: string, one: Refusal): string | undefined =>
  books.messages(who).find(({ t, type }) => t === one.t && type === one.what)?.call;

const isRead = (books: Books, who: string, one: Refusal): boolean =>
  books.messages(who).some(({ t, dir, type }) => t === one.t && dir === "received" && type === one.what);

const isOpened = ({ evidence: { media } }: Books, who: string, at: number): boolean =>
  media.streams.some(({ to, openedAt }) => to === who && openedAt.includes(at));

/** Whether no client has registered a second time, so that no earlier registration of anybody's could be shown. */
const hasNobodyMoved = (books: Books, at: number): boolean =>
  books.evidence.clients.every(
    (name) => books.messages(name).filter(({ dir, type, t }) => dir === "sent" && type === "Register" && t < at).length < 2,
  );

/** A direct session is made by who proves the call's keys. */
const hasKeys = ({ evidence: { records } }: Books): boolean =>
  records.some((one) => one.ev === "candidate-pair" && one.state === "succeeded");

const hasOpened = ({ evidence: { media } }: Books, who: string, until: number): boolean =>
  media.streams.some(({ to, openedAt }) => to === who && openedAt.some((at) => at < until));

/**
 * Packets that do not verify, under a key that opens others among them: the key is right, and what differs from packet to packet is the header. What is wrong from the first packets on
 * is read wrongly; what was right for a while and then is not leans on something remembered, unless packets go on being opened in between.
 */
function interleaved({ evidence: { media, records } }: Books, who: string, one: Refusal): boolean {
  const stream = media.streams.find(({ to }) => to === who);
  if (stream === undefined) return false;
  const alike = records.filter((r) => r.ev === "refused" && r.who === who && r.reason === one.reason && r.what === one.what);
  const [first, second] = [alike[0]?.t ?? one.t, alike[1]?.t ?? one.t];
  const opened = (since: number, until: number): number =>
    stream.openedAt.reduce((n, at) => n + (at >= since && at < until ? 1 : 0), 0);
  const before = opened(0, first);
  return before > 0 && (before < OPENED_FIRST || opened(first, second) > 0);
}

/** A message that was put on a session which lived on, and that nobody at its other end ever took from it or refused: between the two is only how messages are framed. */
function lostMessages(books: Books): readonly Clue[] {
  const clues: Clue[] = [];
  const { clients, records } = books.evidence;
  if (books.relays.length !== 1) return [];
  const [relay = ""] = books.relays;
  const arrivals = Map.groupBy(
    records.filter((one): one is Message => one.ev === "signal" && one.dir === "received"),
    (one) => `${one.who} ${one.type}`,
  );
  for (const who of clients)
    for (const one of books.messages(who)) {
      if (one.dir !== "sent" || books.wasAway(relay, one.t, one.t + ARRIVES) || books.wasAway(who, one.t, one.t + ARRIVES))
        continue;
      const own = books.session(who, one.session, one.t);
      if (own === undefined || own.closed <= one.t + ARRIVES || own.silences.length > 0) continue;
      const came = (arrivals.get(`${relay} ${one.type}`) ?? []).some(
        (m) => m.call === one.call && m.t > one.t && m.t <= one.t + ARRIVES,
      );
      const refused = records.some((r) => r.ev === "refused" && r.who === relay && r.t > one.t && r.t <= one.t + ARRIVES);
      const isOverDirect = books.of(who).some((r) => r.ev === "candidate-pair" && r.session === one.session);
      if (came || refused || isOverDirect) continue;
      clues.push({
        at: one.t,
        component: "wire",
        party: relay,
        weight: "firm",
        says: `never took ${who}'s ${one.type} from a session that lived on`,
      });
    }
  return clues;
}

/** A client tells its peer the address that its relay saw it by; one of the same host and another port was read otherwise than it was written. */
function misreadAddresses(books: Books): readonly Clue[] {
  const { clients, records } = books.evidence;
  if (books.relays.length !== 1) return [];
  const upset = records.find(({ ev }) => ev === "fault")?.t ?? Number.POSITIVE_INFINITY;
  const seen = records.flatMap((one) =>
    one.ev === "session" && one.state === "accepted" && books.isRelay(one.who) && one.t < upset && one.remote !== undefined
      ? [one.remote]
      : [],
  );
  const hostOf = (address: string): string => address.slice(0, address.lastIndexOf(":"));
  return clients.flatMap((who): Clue[] => {
    const told = books
      .messages(who)
      .find((m) => m.dir === "sent" && m.addresses !== undefined && m.t < upset && OFFERS.has(m.type));
    const odd = told?.addresses?.find(
      (one) =>
        seen.some((other) => hostOf(other) === hostOf(one)) &&
        !told.addresses?.some((any) => hostOf(any) === hostOf(one) && seen.includes(any)),
    );
    return told === undefined || odd === undefined
      ? []
      : [
          {
            at: told.t,
            component: "wire",
            party: who,
            weight: "amount",
            says: `read its own address as ${odd}, by which its relay never saw it`,
          },
        ];
  });
}
const OFFERS: ReadonlySet<string> = new Set(["DirectCallOffer", "DirectCallAnswer"]);

/** What signalling owes in every run: attempts to register keep the supervisor's order and waits, and a call that is over is over for everybody. */
import type { LogRecord, RegistrationRecord } from "../impl/base/record.ts";
import { broken, type Finding, held, instant } from "./finding.ts";
import type { Evidence } from "./measure.ts";

/** Waits before attempt 2, 3, ...; the last one repeats, milliseconds. What a relay that was away for long may rely on. */
const BACKOFF_MS: readonly number[] = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000];
/** Reasons of an attempt that need no wait: a sign of life of the relay, another relay than before. */
const ANSWERS = "relay answers";
const CHANGED = "relay changed";
/** So much later than it was done, microseconds, a busy process of a real laboratory may say something. chosen: far above what was seen and below any wait. In `sim` nothing is. */
const LATE_WORD = 100_000;

type Waiting = { readonly attempt: number; readonly until: number };
type Aimed = {
  waiting: Waiting | undefined;
  relay: string | undefined;
  /** The session it is registered by, while that is in doubt or not. */
  session: number | undefined;
  /** Sessions of the attempt to connect that is under way, and the one that got through. */
  readonly attempts: Set<number>;
  through: number | undefined;
  isDoubting: boolean;
  /** By this instant it should have said that it is registered, for its session was heard again. */
  owed: number | undefined;
};

const nowhere = (): Aimed => ({
  waiting: undefined,
  relay: undefined,
  session: undefined,
  attempts: new Set(),
  through: undefined,
  isDoubting: false,
  owed: undefined,
});

/**
 * A client whose attempt fails waits 1, 2, 4, 8, 15, 30 s before the next, nobody begins anew with the relay that is being tried already, and a doubt is over as
 * soon as the registered session is heard again.
 */
export function reconnectsInOrder({ records }: Evidence): Finding {
  const clients = new Map<string, Aimed>();
  const late = records[0]?.ev === "run" && records[0].lab === "sim" ? 0 : LATE_WORD;
  let attempts = 0;
  for (const record of records) {
    if (record.ev === "process" && (record.state === "started" || record.state === "killed")) clients.delete(record.who);
    const own = clients.get(record.who) ?? nowhere();
    clients.set(record.who, own);
    if (own.owed !== undefined && record.t > own.owed)
      return broken(`${record.who} goes on reconnecting though its session was heard again`, own.owed);
    follow(record, own, late);
    if (record.ev !== "registration") continue;
    const isTrying = record.attempt !== undefined && record.state !== "registered";
    const wrong = isTrying ? outOfOrder(record, own, late) : undefined;
    if (wrong !== undefined) return broken(`${record.who} ${wrong}`, record.t);
    if (isTrying) attempts++;
    own.waiting =
      isTrying && (record.delayMs ?? 0) > 0
        ? { attempt: record.attempt ?? 0, until: record.t + 1_000 * (record.delayMs ?? 0) }
        : undefined;
    own.relay = record.state === "idle" ? undefined : (record.relay ?? own.relay);
  }
  return held(`${attempts} attempts to register, each in its time`);
}

/** What a record says of the session that its client is registered by. */
function follow(record: LogRecord, own: Aimed, late: number): void {
  if (record.ev === "signal" && record.type === "RegisterAck" && record.dir === "received" && record.ok === true) {
    own.session = record.session;
    own.attempts.clear();
    own.through = undefined;
  } else if (record.ev === "registration") {
    own.isDoubting = record.state === "reconnecting" && record.reason !== CHANGED;
    if (record.state === "registered") own.owed = undefined;
    else if (!own.isDoubting) own.session = undefined;
  } else if (record.ev === "session") {
    if (record.state === "connecting") own.attempts.add(record.session);
    else if (record.state === "connected" && own.attempts.has(record.session)) own.through = record.session;
    else if (record.state === "closed" && record.session === own.session) own.session = undefined;
    else if (record.state === "closed" && own.attempts.delete(record.session)) {
      if (own.through === record.session) own.through = undefined;
    } else if (record.state === "heard" && record.session === own.session && own.isDoubting && own.through === undefined)
      own.owed = record.t + late;
  }
}

function outOfOrder(
  { t, attempt = 1, delayMs = 0, reason, relay }: RegistrationRecord & { readonly t: number },
  { waiting, relay: before }: Aimed,
  late: number,
): string | undefined {
  if (reason === CHANGED && relay === before) return `begins anew with ${relay}, which it is at already`;
  if (attempt < 2 || reason === ANSWERS) return undefined;
  const owed = BACKOFF_MS[Math.min(attempt - 2, BACKOFF_MS.length - 1)] ?? 0;
  if (delayMs > 0) return delayMs < owed ? `waits ${delayMs} ms before attempt ${attempt} instead of ${owed} ms` : undefined;
  if (waiting?.attempt !== attempt) return `makes attempt ${attempt} without the wait before it`;
  return t < waiting.until - late ? `makes attempt ${attempt} before ${instant(waiting.until)}` : undefined;
}

/** How long a relay is asked to remember that a call is over, microseconds. chosen: below the minute it does. */
const REMEMBERED = 50_000_000;
/** A relay answers a hang-up within this. chosen: it does at once. */
const ANSWERED = 1_000_000;

/** A refused call is set up for nobody, and a relay that knows a call to be over acknowledges whatever hang-up of it comes later. */
export function callsEndOnce(evidence: Evidence): Finding {
  const { records, scenario } = evidence;
  const refused = new Set(
    records.flatMap((record) =>
      record.ev === "call" && record.state === "ended" && record.mode === "Reject" ? [record.call] : [],
    ),
  );
  const setUp = records.find(
    (record) => record.ev === "signal" && record.type === "CallSetup" && record.dir === "sent" && refused.has(record.call ?? ""),
  );
  if (setUp !== undefined) return broken(`${setUp.who} set up a call that was refused`, setUp.t);
  const relays = new Set(Object.entries(scenario.parties).flatMap(([name, party]) => (party.role === "relay" ? [name] : [])));
  const unanswered = [...relays].flatMap((relay) => unansweredAt(records.filter((record) => record.who === relay)));
  const [first] = unanswered.toSorted((a, b) => a.t - b.t);
  if (first !== undefined) return broken(`${first.who} did not acknowledge a hang-up of a call that it had ended`, first.t);
  return held(`${refused.size} refused, every hang-up of a call that was over acknowledged`);
}

/**
 * Hang-ups of ended calls that the relay whose records these are left without an answer. It knows a call when it has said more of it than a refusal since its start: a
 * hang-up of one that died with the process before is of nothing it could have ended.
 */
function unansweredAt(records: readonly LogRecord[]): readonly LogRecord[] {
  const known = new Set<string>();
  const ended = new Map<string, number>();
  const registered = new Set<number>();
  const open: LogRecord[] = [];
  for (const [index, record] of records.entries()) {
    if (record.ev === "process") {
      known.clear();
      ended.clear();
      registered.clear();
    }
    if (record.ev !== "signal") continue;
    if (record.type === "RegisterAck" && record.ok === true) registered.add(record.session);
    if (record.call === undefined) continue;
    if (record.dir === "sent" && record.type !== "Refusal") known.add(record.call);
    if (record.type !== "Hangup" || !known.has(record.call)) continue;
    const before = ended.get(record.call);
    if (record.dir === "received" && before !== undefined && record.t - before < REMEMBERED && registered.has(record.session)) {
      const isAnswered = records
        .slice(index + 1, index + 50)
        .some(
          (one) =>
            one.ev === "signal" && one.type === "HangupAck" && one.session === record.session && one.t - record.t <= ANSWERED,
        );
      if (!isAnswered) open.push(record);
    }
    if (before === undefined) ended.set(record.call, record.t);
  }
  return open;
}

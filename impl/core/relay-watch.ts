/**
 * Whether the address by which a client is registered still leads to its relay and back, where the relay has another one. It is asked by STUN (RFC 8489), under a call five times a second; while one question has no
 * answer, all of the relay's addresses are. An address that answers nothing while another one does is dead, however little is said or however much is lost: then the client goes over to the other. What a QUIC
 * client cannot do is migrate there (RFC 9000 section 9), so it is a session of its own, made before the old one is left.
 */
import type { Address } from "../base/address.ts";
import { toHex } from "../base/cursor.ts";
import { Instant, Micros, millis, seconds } from "../base/units.ts";
import { orNone, type View } from "../base/view.ts";
import { bindingRequest, livenessRequest, TRANSACTION_ID_BYTES } from "../wire/stun.ts";

export type Config = {
  /** Fresh random octets. */
  readonly entropy: (length: number) => Uint8Array;
  /** The answers must not tell the client's address. */
  readonly isPrivate: boolean;
  /** A call has no way but the relay, or one is wanted: silence is looked into at once. */
  readonly isUrgent: boolean;
};

/** One question to several addresses. */
type Round = {
  readonly at: Instant;
  readonly transaction: string;
  /** Who has answered, and when. */
  readonly answers: ReadonlyMap<Address, Instant>;
};

export type State = {
  /** The address in use, and the others. */
  readonly current: Address;
  readonly others: readonly Address[];
  /** When anything came from there last. */
  readonly heardAt: Instant;
  /** When it last answered, which takes both directions, and how long it took. */
  readonly provenAt: Instant;
  readonly rtt: Micros;
  /** Questions since, the oldest first. */
  readonly rounds: readonly Round[];
  /** Questions whose answers may still come, by transaction (hex), and when they were asked. */
  readonly asked: ReadonlyMap<string, Instant>;
  /** Rounds that the current address has to miss while nothing is heard from there. */
  readonly needed: number;
  /** When it was last left, or became more trusted. */
  readonly calmSince: Instant;
  /** Spreads the questions of many clients, 0..1. */
  readonly chance: number;
};

export type Input =
  /** Something came on the session. */
  | { readonly type: "heard" }
  /** A STUN response. */
  | { readonly type: "response"; readonly from: Address; readonly transaction: Uint8Array }
  | { readonly type: "wake" };

export type Effect =
  | { readonly type: "packet"; readonly to: Address; readonly bytes: Uint8Array }
  /** `way` answers and the address in use does not. */
  | { readonly type: "move"; readonly way: Address };

/** Under a call the address in use is asked so long after its last answer. chosen: a dead direction is known of in time; 3 kbit/s each way, of a call by the relay alone. */
const PROVE: Micros = millis(200);
/** A peer says something every 20 ms, and every 180 ms while it is silent (announced-silence.ts). chosen: one of these and 60 ms of jitter. */
const QUIET: Micros = millis(240);
/** Without a call: as often as consent is asked for (RFC 7675 section 5.1), 5 s give or take a fifth. */
const AT_REST: Micros = seconds(5);
const SPREAD = 0.2;
/** Distance of questions while one has no answer. chosen: longer than a burst of loss that nobody notices. At rest from 250 ms on, each wait twice the one before. */
const ASK_AGAIN: Micros = millis(50);
const ASK_AGAIN_AT_REST: Micros = millis(250);
/** Under a call so many are asked at that distance, then each wait is twice the one before too. chosen: a second, after which the session's own silence is acted on; a relay that knows no STUN is not asked for ever. */
const AT_PACE = 20;
/** The first question is late after so many round trips. chosen: one and what a good link jitters. */
const LATE_ROUND_TRIPS = 1.5;
/** An address is late with its answer so long after another one has answered, or as long as that one has taken. chosen: what two ways of one host to one relay differ in. */
const GRACE: Micros = millis(50);
/** Rounds to be missed while nothing is heard: with 20 % of packets lost each way one in eight pairs of rounds is. chosen. */
const NEEDED = 2;
/** More of them while something is heard: then it is what we send that may be lost. chosen: with 20 % lost each way that happens by chance twice an hour, with 10 % twice a day. */
const MORE_WHILE_HEARD = 3;
/** Most that are asked for, after several moves in a row. chosen: half a second of questions. */
const MOST_NEEDED = 10;
/** After so long on one address half as many rounds will do. chosen. */
const CALM: Micros = seconds(10);
/** Rounds that count. */
const MOST_ROUNDS = 2 * (MOST_NEEDED + MORE_WHILE_HEARD);
/** A question that is older than this is given up. chosen: longer than any round trip a call survives. */
const FORGET_AFTER: Micros = seconds(3);

/** `rtt`: to `current`, as far as that is known. `before`: the watch of this client before this one. RangeError where there is no other address. */
export function start(now: Instant, current: Address, others: readonly Address[], rtt: Micros, before?: State): State {
  if (others.length === 0) throw new RangeError("others: want at least one address, got none");
  const { needed, calmSince, asked, chance } = before ?? { needed: NEEDED, calmSince: now, asked: new Map(), chance: 0.5 };
  return { current, others, heardAt: now, provenAt: now, rtt, rounds: [], asked, needed, calmSince, chance };
}

const isQuiet = (s: State, now: Instant): boolean => Instant.between(s.heardAt, now) >= QUIET;
const neededAt = (s: State, now: Instant): number => s.needed + (isQuiet(s, now) ? 0 : MORE_WHILE_HEARD);

/** When the next question is due. */
function askAt(c: Config, s: State): Instant {
  const last = s.rounds.at(-1);
  if (last === undefined) {
    const rest = Math.round(AT_REST * (1 + SPREAD * (2 * s.chance - 1)));
    return Instant.after(s.provenAt, c.isUrgent ? PROVE : Micros(rest));
  }
  const first = s.rounds.length === 1 ? Math.round(LATE_ROUND_TRIPS * s.rtt) : 0;
  const [shortest, doublings] = c.isUrgent
    ? [ASK_AGAIN, Math.max(0, s.rounds.length - AT_PACE)]
    : [ASK_AGAIN_AT_REST, s.rounds.length - 1];
  const again = Math.min(AT_REST, shortest * 2 ** doublings);
  return Instant.after(last.at, Micros(Math.max(first, again)));
}

/** When the current address has missed the `needed`th of those rounds that `way` answered; undefined while there are too few. */
function verdictAt(s: State, way: Address, needed: number): Instant | undefined {
  const late: Instant[] = [];
  for (const { at, answers } of s.rounds) {
    const answered = answers.get(way);
    if (answered !== undefined) late.push(Instant.after(answered, Micros(Math.max(GRACE, Instant.between(at, answered)))));
  }
  return late.sort((a, b) => a - b)[needed - 1];
}

export function deadline(c: Config, s: State): Instant | undefined {
  let first: Instant | undefined = askAt(c, s);
  if (s.rounds.length === 0) return first;
  // Looked at again where it becomes quiet: by then fewer rounds will do.
  const quietAt = Instant.after(s.heardAt, QUIET);
  for (const way of s.others) {
    const soon = verdictAt(s, way, s.needed);
    first = Instant.earliest(
      first,
      verdictAt(s, way, s.needed + MORE_WHILE_HEARD),
      soon === undefined || soon > quietAt ? soon : quietAt,
    );
  }
  return first;
}

/** Whether a response from `from` answers a question of this watch. */
export const isAbout = (s: State, from: Address, transaction: Uint8Array): boolean =>
  (from === s.current || s.others.includes(from)) && s.asked.has(toHex(transaction));

export const view = (s: State): View => ({
  current: s.current,
  heardAt: s.heardAt,
  provenAt: s.provenAt,
  unanswered: s.rounds.length,
  since: orNone(s.rounds[0]?.at),
});

export function step(c: Config, s: State, now: Instant, input: Input): readonly [State, readonly Effect[]] {
  switch (input.type) {
    case "heard":
      return [{ ...s, heardAt: now }, []];
    case "response": {
      const name = toHex(input.transaction);
      const askedAt = s.asked.get(name);
      if (input.from === s.current && askedAt !== undefined)
        return [{ ...s, heardAt: now, provenAt: now, rtt: Instant.between(askedAt, now), rounds: [] }, []];
      const rounds = s.rounds.map((one) =>
        one.transaction === name && !one.answers.has(input.from)
          ? { ...one, answers: new Map(one.answers).set(input.from, now) }
          : one,
      );
      return [{ ...s, rounds }, []];
    }
    case "wake":
      return look(c, calmed(s, now), now);
  }
}

const calmed = (s: State, now: Instant): State =>
  s.needed > NEEDED && now >= Instant.after(s.calmSince, CALM)
    ? { ...s, needed: Math.max(NEEDED, Math.floor(s.needed / 2)), calmSince: now }
    : s;

function look(c: Config, s: State, now: Instant): readonly [State, readonly Effect[]] {
  for (const way of s.rounds.length === 0 ? [] : s.others) {
    const at = verdictAt(s, way, neededAt(s, now));
    if (at === undefined || now < at) continue;
    // To and fro is made harder each time.
    const needed = Math.min(MOST_NEEDED, 2 * s.needed);
    return [{ ...s, rounds: [], heardAt: now, provenAt: now, needed, calmSince: now }, [{ type: "move", way }]];
  }
  if (now < askAt(c, s)) return [s, []];
  const transaction = c.entropy(TRANSACTION_ID_BYTES);
  const round: Round = { at: now, transaction: toHex(transaction), answers: new Map() };
  // The others are asked when there is a reason to.
  const hasReason = s.rounds.length > 0 || (c.isUrgent && isQuiet(s, now));
  const whom = hasReason ? [s.current, ...s.others] : [s.current];
  const bytes = c.isPrivate ? livenessRequest(transaction) : bindingRequest(transaction);
  const effects = whom.map((to): Effect => ({ type: "packet", to, bytes }));
  const chance = (transaction[0] ?? 0) / 255;
  const asked = new Map([...s.asked].filter(([, at]) => Instant.between(at, now) <= FORGET_AFTER)).set(round.transaction, now);
  return [{ ...s, chance, asked, rounds: [...s.rounds, round].slice(-MOST_ROUNDS) }, effects];
}

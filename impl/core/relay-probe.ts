/**
 * Asks a relay for a sign of life by STUN (RFC 8489) while a call waits for it: a relay answers before any session can exist,
 * and unlike a QUIC handshake, whose retransmissions back off, this finds out within one interval and one round trip.
 */
import { toHex } from "../base/cursor.ts";
import { Instant, type Micros, seconds } from "../base/units.ts";
import { bindingRequest, livenessRequest, TRANSACTION_ID_BYTES } from "../wire/stun.ts";

export type Config = {
  /** Time between two questions, give or take a tenth so that a relay's clients do not ask in step. */
  readonly every: Micros;
  /** Fresh random octets. */
  readonly entropy: (length: number) => Uint8Array;
  /** The answers must not tell the client's address. */
  readonly isPrivate: boolean;
};

/** When the next question is due, and the questions without an answer: transaction (hex) to the instant of asking. */
export type State = { readonly due: Instant | undefined; readonly asked: ReadonlyMap<string, Instant> };

/** A question that is older than this is given up. chosen: longer than any round trip a call survives. */
const FORGET_AFTER: Micros = seconds(3);

export const start = (): State => ({ due: undefined, asked: new Map() });

export const deadline = (s: State): Instant | undefined => s.due;

/** Begins to ask, at once; a no-op while it already does. */
export const begin = (s: State, now: Instant): State => (s.due === undefined ? { due: now, asked: s.asked } : s);

/** Stops asking; answers that are still to come mean nothing. */
export const end = (s: State): State => (s.due === undefined && s.asked.size === 0 ? s : start());

/** The question that is due, if one is. */
export function wake(c: Config, s: State, now: Instant): readonly [State, Uint8Array | undefined] {
  if (s.due === undefined || now < s.due) return [s, undefined];
  const transaction = c.entropy(TRANSACTION_ID_BYTES);
  const asked = new Map([...s.asked].filter(([, at]) => Instant.between(at, now) <= FORGET_AFTER));
  asked.set(toHex(transaction), now);
  const question = c.isPrivate ? livenessRequest(transaction) : bindingRequest(transaction);
  const spread = ((c.entropy(1)[0] ?? 0) / 255 - 0.5) / 5;
  return [{ due: Instant.after(now, Math.round(c.every * (1 + spread)) as Micros), asked }, question];
}

/** When the question was asked that `transaction` answers; undefined for an answer nobody waits for. */
export const askedAt = (s: State, transaction: Uint8Array): Instant | undefined => s.asked.get(toHex(transaction));

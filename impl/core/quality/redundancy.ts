/**
 * Which forward error correction a tier sends with at what loss: a ladder of levels for each tier, for single losses and for bursts. Picked from
 * reports/golden/fec-schemes.txt (least missing for its wire rate and delay); above about half of everything lost nothing here is enough.
 */
import { type FecScheme, NO_FEC } from "../../base/fec-scheme.ts";
import type { Tier } from "../../base/tier.ts";
import { FRAME_MICROS } from "../codec.ts";
import { holdOf, redundancyOf } from "../fec/scheme.ts";

/** Loss above which a level is wanted: below 2 % concealment and LBRR do, then one loss in ten, in five, in three. */
export const LEVEL_ABOVE: readonly number[] = [0, 0.02, 0.08, 0.2, 0.32];
export const TOP_LEVEL: number = LEVEL_ABOVE.length - 1;

/** Mean burst from which copies are kept apart. chosen: random loss of 30 % has runs of 1.43. */
export const BURSTY = 1.7;

const red = (depth: number, apart = 1): FecScheme => (apart > 1 ? { scheme: "red", depth, apart } : { scheme: "red", depth });
const aboard = (source: number, repair: number, interleave = 1): FecScheme => ({
  ...{ scheme: "rs", source, repair, interleave },
  leaves: "aboard",
});

const sliding = (window: number, percent: number): FecScheme => ({ scheme: "rlc", window, percent });

type Ladder = { readonly single: readonly FecScheme[]; readonly bursts: readonly FecScheme[] };

/** From level 0 up; a scheme that needs more delay than there is gives way to the one before it. */
const LADDERS: Readonly<Record<Tier, Ladder>> = {
  good: {
    single: [NO_FEC, red(1), sliding(8, 140), sliding(8, 220)],
    bursts: [NO_FEC, aboard(3, 2, 3), aboard(2, 2, 4), aboard(3, 6, 2)],
  },
  degraded: {
    single: [NO_FEC, red(1), red(2), red(3), red(4)],
    bursts: [NO_FEC, red(1, 3), red(2, 2), red(2, 3), red(3, 2)],
  },
  catastrophic: {
    single: [NO_FEC, red(1), red(2), red(3), red(3)],
    bursts: [NO_FEC, red(1, 2), red(2), red(3), red(3)],
  },
};

/** Octets around each packet: IPv4, UDP, QUIC's short header, datagram frame and tag, our mini header and tag (RFC 9000, RFC 9221). */
const HEADERS = 28 + 13 + 3 + 16 + 4 + 16;
const PAYLOAD_BPS: Readonly<Record<Tier, number>> = { good: 24_000, degraded: 6_000, catastrophic: 1_200 };
/** Packets a second of each tier as it usually is. */
const PACKETS: Readonly<Record<Tier, number>> = { good: 50, degraded: 25, catastrophic: 12.5 };

/** What a tier with a scheme is about to cost on the wire, bits a second. */
export const wireRate = (tier: Tier, scheme: FecScheme): number =>
  PAYLOAD_BPS[tier] * (1 + redundancyOf(scheme)) + PACKETS[tier] * HEADERS * 8;

/** What of it the other end counts: payload, our header and our tag. */
export const sealedRate = (tier: Tier): number => PAYLOAD_BPS[tier] + PACKETS[tier] * (4 + 16) * 8;

export type Means = {
  readonly bursty: boolean;
  /** Longest time frames may be held for repair, microseconds. */
  readonly hold: number;
  /** Most the wire may carry, bits a second. */
  readonly rate: number;
  /** What the peer can make use of. */
  readonly peer: readonly string[];
};

/** The scheme of `level` (0..TOP_LEVEL), or the strongest below it that the means allow. */
export function schemeOf(tier: Tier, level: number, { bursty, hold, rate, peer }: Means): FecScheme {
  const ladder = LADDERS[tier];
  const packet = (FRAME_MICROS * 50) / PACKETS[tier];
  const fits = (scheme: FecScheme | undefined): scheme is FecScheme =>
    scheme !== undefined &&
    holdOf(scheme) * packet <= hold &&
    wireRate(tier, scheme) <= rate &&
    (scheme.scheme === "none" || peer.includes(scheme.scheme));
  for (let at = Math.min(level, TOP_LEVEL); at > 0; at--) {
    const [first, second] = bursty ? [ladder.bursts[at], ladder.single[at]] : [ladder.single[at], ladder.bursts[at]];
    if (fits(first)) return first;
    if (fits(second)) return second;
  }
  return NO_FEC;
}

/**
 * What each tier a party spoke in cost and how it was heard: payload and wire rates from `tier` records, the rating of the stretches its peer played meanwhile.
 * Rates count everything a party sealed for the call: media, repair, reports, comfort noise, with every header from IPv4 up.
 */

import type { LogRecord } from "../impl/base/record.ts";
import type { Tier } from "../impl/base/tier.ts";
import type { Delay } from "./audio.ts";
import { burstRatio, equipmentOf, meanOpinionScore, rating } from "./e-model.ts";
import { gapsOf, isGap, type Playout } from "./playout.ts";
import type { PartyTier } from "./result.ts";
import { rounded } from "./statistic.ts";

/**
 * Octets around each sealed packet: IPv4 and UDP (RFC 791, RFC 768), QUIC's 1-RTT header with a connection ID of 20 and its tag (RFC 9000 section 17.3, RFC 9001
 * section 5.3), and a DATAGRAM frame's type and length (RFC 9221 section 4).
 */
export const PACKET_OVERHEAD: number = 20 + 8 + (1 + 20 + 2 + 16) + 3;

type Told = Extract<LogRecord, { readonly ev: "tier" }>;
type Sum = { tier: Tier; coding: string; micros: number; payload: number; wire: number; weighed: number; slots: number };

/** Of the parties that speak in tiers (a call that stays in the best one from beginning to end tells of none), in the order the tiers were first used. */
export function measureTiers(
  records: readonly LogRecord[],
  playouts: readonly Playout[],
  delays: ReadonlyMap<Playout, readonly Delay[]>,
): Record<string, readonly PartyTier[]> {
  const streams = new Map<string, Told[]>();
  for (const record of records) {
    if (record.ev !== "tier") continue;
    const name = `${record.call} ${record.who}`;
    streams.set(name, [...(streams.get(name) ?? []), record]);
  }
  const parties = new Map<string, Map<string, Sum>>();
  for (const told of streams.values()) {
    for (const [i, from] of told.entries()) {
      const to = told[i + 1];
      if (to === undefined) continue;
      const { who, tier, coding } = from;
      const sums = parties.get(who) ?? new Map<string, Sum>();
      parties.set(who, sums);
      const sum = sums.get(coding) ?? { tier, coding, micros: 0, payload: 0, wire: 0, weighed: 0, slots: 0 };
      sums.set(coding, sum);
      sum.micros += to.t - from.t;
      sum.payload += to.payloadBytes - from.payloadBytes;
      const packets = (to.sealedPackets ?? 0) - (from.sealedPackets ?? 0);
      sum.wire += to.sealedBytes - from.sealedBytes + packets * PACKET_OVERHEAD;
      rate(sum, from, to, playouts, delays);
    }
  }
  return Object.fromEntries([...parties].map(([party, sums]) => [party, [...sums.values()].map(told)]));
}

/** Adds what the peer heard of one stretch. */
function rate(
  sum: Sum,
  from: Told,
  to: Told,
  playouts: readonly Playout[],
  delays: ReadonlyMap<Playout, readonly Delay[]>,
): void {
  const equipment = equipmentOf(sum.coding);
  if (equipment === undefined) return;
  for (const playout of playouts) {
    if (playout.call !== from.call || playout.peer !== from.who) continue;
    const within = ({ at }: { readonly at: number }): boolean => at >= from.t && at < to.t;
    const slots = playout.slots.filter(within);
    const late = (delays.get(playout) ?? []).filter(within);
    if (slots.length === 0 || late.length === 0) continue;
    const lost = slots.reduce((n, slot) => n + (isGap(slot.kind) ? 1 : 0), 0);
    const gaps = gapsOf(slots).length;
    const ratio = lost / slots.length;
    const delayMs = late.reduce((total, { ms }) => total + ms, 0) / late.length;
    sum.weighed += rating(ratio, gaps === 0 ? 1 : burstRatio(lost / gaps, ratio), delayMs, equipment) * slots.length;
    sum.slots += slots.length;
  }
}

const told = ({ tier, coding, micros, payload, wire, weighed, slots }: Sum): PartyTier => {
  const kbps = (octets: number): number => (micros === 0 ? 0 : rounded((octets * 8_000) / micros, 3));
  const mos = slots === 0 ? null : rounded(meanOpinionScore(weighed / slots), 3);
  return {
    tier,
    coding,
    forMs: rounded(micros / 1_000, 3),
    payloadKbps: kbps(payload),
    wireKbps: kbps(wire),
    mos,
    mosProvisional: true,
  };
};

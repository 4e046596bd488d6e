/** What forward error correction cost each party that sent with it and gave each that heard it, from `fec` and `media-played` records. */
import type { LogRecord } from "../impl/base/record.ts";
import type { PartyFec } from "./result.ts";
import { rounded } from "./statistic.ts";

type Totals = { scheme: string; payload: number; sealed: number; repair: number; given: number; hold: number };

/** Only parties that say anything of it; their calls are taken together. Frames the codec's own redundancy recovered count as `lbrr`. */
export function measureFec(records: readonly LogRecord[], clients: readonly string[]): Record<string, PartyFec> {
  const last = new Map<string, Map<string, Totals>>();
  const played = new Map<string, Map<string, number>>();
  for (const record of records) {
    if (record.ev === "fec") {
      const calls = last.get(record.who) ?? new Map<string, Totals>();
      last.set(record.who, calls);
      const { scheme, payloadBytes, sealedBytes, repairPacketsSent, givenBack, holdMs } = record;
      const hold = Math.max(holdMs, calls.get(record.call)?.hold ?? 0);
      calls.set(record.call, {
        scheme,
        payload: payloadBytes,
        sealed: sealedBytes,
        repair: repairPacketsSent,
        given: givenBack,
        hold,
      });
    } else if (record.ev === "media-played" && record.kind === "recovered") {
      const counts = played.get(record.who) ?? new Map<string, number>();
      played.set(record.who, counts);
      const by = record.by ?? "lbrr";
      counts.set(by, (counts.get(by) ?? 0) + record.n);
    }
  }
  const entries = clients.flatMap((party): [string, PartyFec][] => {
    const calls = [...(last.get(party)?.values() ?? [])];
    const newest = calls.at(-1);
    if (newest === undefined) return [];
    const sum = (of: (one: Totals) => number): number => calls.reduce((total, one) => total + of(one), 0);
    const payload = sum((one) => one.payload);
    return [
      [
        party,
        {
          scheme: newest.scheme,
          wireRatio: payload === 0 ? null : rounded(sum((one) => one.sealed) / payload, 3),
          repairPacketsSent: sum((one) => one.repair),
          framesGivenBack: sum((one) => one.given),
          framesPlayedBy: Object.fromEntries([...(played.get(party) ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1))),
          holdMs: calls.reduce((most, one) => Math.max(most, one.hold), 0),
        },
      ],
    ];
  });
  return Object.fromEntries(entries);
}

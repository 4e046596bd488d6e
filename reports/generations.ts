/** The order of candidate generations: what each party sent, was delivered, applied and refused. `appliedStale` must be 0. */
import type { LogRecord } from "../impl/base/record.ts";
import type { PartyGenerations } from "./result.ts";

/**
 * Counts per party of `generation` records. An application is stale when its generation is not above every one this party
 * applied for the same call before, by this count or by the party's own.
 */
export function measureGenerations(records: readonly LogRecord[], parties: readonly string[]): Record<string, PartyGenerations> {
  const counts = new Map<string, Counts>(
    parties.map((party) => [party, { sent: 0, delivered: 0, applied: 0, refusedStale: 0, appliedStale: 0 }]),
  );
  for (const { record, stale } of generationsOf(records)) {
    const count = counts.get(record.who);
    if (count === undefined) continue;
    if (record.action === "refused") count.refusedStale++;
    else count[record.action]++;
    if (stale) count.appliedStale++;
  }
  return Object.fromEntries(counts);
}

type Counts = { -readonly [Name in keyof PartyGenerations]: number };
type Generation = Extract<LogRecord, { readonly ev: "generation" }>;

/**
 * Every `generation` record in order, with whether it is the application of a stale one, and whether it was sent under a number not above every one that this party sent in the call before:
 * by this count, whatever the party remembers of itself after a registration or a restart, or by its own.
 */
export function generationsOf(records: readonly LogRecord[]): readonly JudgedGeneration[] {
  const newest = new Map<string, number>();
  return records.flatMap((record) => {
    if (record.ev !== "generation") return [];
    const { action, generation } = record;
    if (action !== "applied" && action !== "sent") return [{ record, stale: false, before: undefined }];
    const name = `${record.call} ${record.who} ${action}`;
    const last = Math.max(record.last, newest.get(name) ?? Number.NEGATIVE_INFINITY);
    newest.set(name, Math.max(last, generation));
    const isOld = generation <= last;
    return [{ record, stale: action === "applied" && isOld, before: action === "sent" && isOld ? last : undefined }];
  });
}

/** `before`: sent under a number that is not above this one, which was sent before. */
export type JudgedGeneration = { readonly record: Generation; readonly stale: boolean; readonly before: number | undefined };

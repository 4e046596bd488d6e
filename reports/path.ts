/** Which path each party sent its media on, and since when. */
import type { LogRecord } from "../impl/base/record.ts";
import type { PathStep } from "./result.ts";
import { rounded } from "./statistic.ts";

/** Changes of path per party in order; a record that repeats the path in use is left out. */
export function measurePath(records: readonly LogRecord[], parties: readonly string[]): Record<string, PathStep[]> {
  const steps = new Map<string, PathStep[]>(parties.map((party) => [party, []]));
  const inUse = new Map<string, string>();
  for (const record of records) {
    if (record.ev !== "path") continue;
    const now = `${record.call} ${record.path} ${record.candidate}`;
    if (inUse.get(record.who) === now) continue;
    inUse.set(record.who, now);
    steps.get(record.who)?.push({ atMs: rounded(record.t / 1_000, 3), path: record.path, candidate: record.candidate });
  }
  return Object.fromEntries(steps);
}

/** Which path each party sent its media on, and since when. */
import type { LogRecord } from "../impl/base/record.ts";
import type { Measurements, PathStep } from "./result.ts";
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

/** By party and name of an interface: what the voice that it carried last went by. */
export type Carried = Readonly<Record<string, Readonly<Record<string, PathStep["path"]>>>>;

/** Of the parties whose interfaces the log tells: voice leaves by the default one. `paths`: measurePath's. */
export function carried(records: readonly LogRecord[], paths: Measurements["path"]): Carried {
  const out: Record<string, Record<string, PathStep["path"]>> = {};
  for (const [party, steps] of Object.entries(paths)) {
    const changes = records.filter((one) => one.ev === "interfaces" && one.who === party);
    if (changes.length === 0) continue;
    const own: Record<string, PathStep["path"]> = {};
    for (const [i, change] of changes.entries()) {
      if (change.ev !== "interfaces" || change.default === undefined) continue;
      const until = (changes[i + 1]?.t ?? Number.POSITIVE_INFINITY) / 1_000;
      const last = steps.findLast(({ atMs }) => atMs < until);
      if (last !== undefined) own[change.default] = last.path;
    }
    out[party] = own;
  }
  return out;
}

/** What report.html shows beside its run, from the machine: scripts, recordings, a run of the twin and the last run that held, where there are any. */
import { readdir, stat } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { readWav } from "../impl/io/wav.ts";
import type { PageExtras } from "../reports/html.ts";
import type { Recording } from "../reports/page-data.ts";
import { readLog } from "../reports/read-log.ts";
import type { Result } from "../reports/result.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { readRun, resultIn } from "./finished-run.ts";
import { reportScripts } from "./page-script.ts";

/** Loudness is read in slices of so many milliseconds, or of as many as keep a recording at SLICES. chosen: a frame; some 3,000 numbers a minute. */
const SLICE_MS = 20;
const SLICES = 15_000;
const SAMPLES_A_MS = 48;
/** Runs of a scenario looked at for companions, the newest first. chosen: reading them must not be noticed. */
const LOOKED_AT = 12;

/**
 * Of the run in `folder`, whose siblings are runs of the same scenario; `audio` is what each party heard from the run's start, 48 kHz. The page goes
 * to the folder `to`. What is missing or unreadable is left out: a page never fails for want of a companion.
 */
export async function pageExtras(
  result: Result,
  scenario: Scenario,
  folder: string,
  audio: ReadonlyMap<string, Int16Array>,
  to: string = folder,
): Promise<PageExtras> {
  const [scripts, { twin, lastHeld }] = await Promise.all([reportScripts(), companions(result, scenario, folder)]);
  const recordings = [...audio].map(([party, pcm]): [string, Recording] => [
    party,
    loudness(pcm, [...relative(to, join(folder, "audio", `${party}.wav`)).split(sep)].map(encodeURIComponent).join("/")),
  ]);
  return {
    scripts,
    recordings: new Map(recordings),
    ...(twin === undefined ? {} : { twin }),
    ...(lastHeld === undefined ? {} : { lastHeld }),
  };
}

/** The recordings in a run's folder, by party. */
export async function recordingsIn(folder: string): Promise<Map<string, Int16Array>> {
  const names = await readdir(join(folder, "audio")).catch((): string[] => []);
  const read = await Promise.all(
    names
      .filter((name) => name.endsWith(".wav"))
      .sort()
      .map(async (name) => {
        const pcm = await readWav(join(folder, "audio", name)).catch(() => undefined);
        return pcm === undefined ? [] : [[name.slice(0, -4), pcm] as const];
      }),
  );
  return new Map(read.flat());
}

function loudness(pcm: Int16Array, href: string): Recording {
  const sliceMs = Math.max(SLICE_MS, Math.ceil(pcm.length / SAMPLES_A_MS / SLICES));
  const width = sliceMs * SAMPLES_A_MS;
  const peaks: number[] = [];
  for (let from = 0; from < pcm.length; from += width) {
    let peak = 0;
    const end = Math.min(pcm.length, from + width);
    for (let i = from; i < end; i++) peak = Math.max(peak, Math.abs(pcm[i] ?? 0));
    peaks.push(Math.round((peak / 32_768) * 100) / 100);
  }
  return { href, peaks, sliceMs };
}

/** Among the runs beside this one: the newest twin, and the newest that held before it, of the same laboratory. */
async function companions(result: Result, scenario: Scenario, folder: string): Promise<Pick<PageExtras, "twin" | "lastHeld">> {
  const parent = dirname(folder);
  const own = folder.slice(parent.length + 1);
  const names = (await readdir(parent).catch((): string[] => [])).filter((name) => name !== own);
  const dated = await Promise.all(
    names.map(async (name) => ({
      name,
      at: (await stat(join(parent, name, "result.json")).catch(() => undefined))?.mtimeMs ?? 0,
    })),
  );
  const newest = dated.filter(({ at }) => at > 0).sort((a, b) => b.at - a.at || (a.name < b.name ? -1 : 1));
  const twinName = newest.find(({ name }) => name.startsWith(`${result.lab}-twin-`))?.name;
  const twin =
    twinName === undefined || own.startsWith(`${result.lab}-twin-`) ? undefined : await readTwin(join(parent, twinName));
  let lastHeld: Result | undefined;
  const runs = newest.filter(({ name }) => name.startsWith(`${result.lab}-`) && !name.startsWith(`${result.lab}-twin-`));
  for (const { name } of runs.slice(0, LOOKED_AT)) {
    const read = await resultIn(join(parent, name));
    if (read?.verdict !== "held" || read.scenario !== scenario.name) continue;
    if (result.startedAt !== undefined && read.startedAt !== undefined && read.startedAt > result.startedAt) continue;
    lastHeld = read;
    break;
  }
  return { ...(twin === undefined ? {} : { twin }), ...(lastHeld === undefined ? {} : { lastHeld }) };
}

async function readTwin(folder: string): Promise<PageExtras["twin"]> {
  try {
    const { result, scenario, log } = await readRun(folder, folder);
    return { result, scenario, records: readLog(log).records };
  } catch {
    return undefined;
  }
}

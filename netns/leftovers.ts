/**
 * Who owns what on this machine: a run claims its name in /run/midcall before it makes anything, and what a run that died left behind is found by that
 * claim and removed. Everything a run makes lies in namespaces called `mc-RUN-...` or in its folder; nothing else is ever touched.
 */
import { appendFile, link, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, isAbsolute, join } from "node:path";
import { ipBatch, run as runCommand } from "./command.ts";
import { NetnsError } from "./netns-error.ts";
import { startTicks } from "./process-identity.ts";

/** Claims of runs, and their folders. /run is emptied when the machine starts. */
export const CLAIMS = "/run/midcall";
/** Where `ip netns` keeps its namespaces (ip-netns(8)). */
const NAMESPACES = "/run/netns";

/** Who made a claim: a process id alone may have been given to another process since. */
type Owner = {
  readonly pid: number /** Clock ticks since the machine started, field 22 of proc_pid_stat(5). */;
  readonly started: number;
};

/** A claimed run. */
export type Claim = {
  /** An empty folder of this run for whatever must be found again after a crash; gone with the claim. */
  readonly folder: string;
  /** Removes the claim and the folder: call it when all namespaces of the run are gone. */
  release(): Promise<void>;
};

/** First part of every namespace name of a run. RangeError unless `run` is 4 to 12 hexadecimal digits. */
export function namespacePrefix(run: string): string {
  if (!/^[0-9a-f]{4,12}$/.test(run)) throw new RangeError(`run: want 4 to 12 hexadecimal digits, got ${run}`);
  return `mc-${run}-`;
}

/** Takes the name `run` for this process. NetnsError `name-clash` when a run has it or a namespace is called so. */
export async function claim(run: string): Promise<Claim> {
  const prefix = namespacePrefix(run);
  const [file, folder] = [join(CLAIMS, `${run}.json`), join(CLAIMS, run)];
  await mkdir(CLAIMS, { recursive: true });
  const draft = join(CLAIMS, `${run}.${process.pid}`);
  await writeFile(draft, `${JSON.stringify(ownerOf(process.pid))}\n`);
  // A link appears with its contents, and only once: nobody reads half a claim, and of two runs that want one name, one gets it.
  try {
    await link(draft, file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    throw new NetnsError("name-clash", `a run named ${run} exists already: see ${file}`, cause);
  } finally {
    await rm(draft, { force: true });
  }
  const release = async (): Promise<void> => {
    await rm(folder, { recursive: true, force: true });
    await rm(file, { force: true });
  };
  try {
    const taken = (await namespaces()).find((name) => name.startsWith(prefix));
    if (taken !== undefined)
      throw new NetnsError("name-clash", `a namespace named ${taken} exists already: ip netns del ${taken}`);
    await mkdir(folder);
  } catch (error) {
    await release();
    throw error;
  }
  return { folder, release };
}

/** Removes what runs left whose process is dead: their processes, namespaces, folders and claims. Returns those runs. */
export async function removeLeftovers(): Promise<readonly string[]> {
  const dead: string[] = [];
  for (const entry of await list(CLAIMS)) {
    const drafter = /^[0-9a-f]{4,12}\.(\d+)$/.exec(entry)?.[1];
    if (drafter !== undefined && ownerOf(Number(drafter)) === undefined) await rm(join(CLAIMS, entry), { force: true });
    const name = /^([0-9a-f]{4,12})\.json$/.exec(entry)?.[1];
    if (name === undefined || (await isAlive(join(CLAIMS, entry)))) continue;
    await removeNamespaces(name);
    await removeRemembered(join(CLAIMS, name));
    await rm(join(CLAIMS, name), { recursive: true, force: true });
    await rm(join(CLAIMS, entry), { force: true });
    dead.push(name);
  }
  return dead;
}

/** File of a claim's folder: paths outside of it that are the run's too, one a line. */
const REMEMBERED = "remembered";

/** Notes in a claim's folder that `path` is to be removed as well, should the run die. RangeError unless it is called `mc-...`, as all that runs make. */
export async function remember(folder: string, path: string): Promise<void> {
  if (!isOurs(path)) throw new RangeError(`path: want an absolute one whose last part begins with mc-, got ${path}`);
  await appendFile(join(folder, REMEMBERED), `${path}\n`);
}

async function removeRemembered(folder: string): Promise<void> {
  const text = await readFile(join(folder, REMEMBERED), "utf8").catch(() => "");
  for (const path of text.split("\n").filter(isOurs)) await rm(path, { recursive: true, force: true });
}

const isOurs = (path: string): boolean => isAbsolute(path) && basename(path).startsWith("mc-");

/** Ends the processes in a run's namespaces and removes those. */
async function removeNamespaces(run: string): Promise<void> {
  const prefix = namespacePrefix(run);
  const own = (await namespaces()).filter((name) => name.startsWith(prefix));
  for (const name of own) {
    const pids = await runCommand("ip", ["netns", "pids", name]).catch(() => ""); // another start was faster
    for (const pid of pids.split("\n").filter((line) => line !== "")) end(Number(pid));
  }
  await deleteNamespaces(own);
}

/** Deletes namespaces by name; those that are gone already are no error. */
export async function deleteNamespaces(names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const attempt = ipBatch(
    names.map((name) => `netns del ${name}`),
    true,
  );
  await attempt.catch(async (error: unknown) => {
    const left = await namespaces();
    if (names.some((name) => left.includes(name))) throw error;
  });
}

/** Namespaces known to `ip netns`. */
export const namespaces = (): Promise<readonly string[]> => list(NAMESPACES);

const list = async (folder: string): Promise<readonly string[]> => {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
};

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it ended by itself
  }
}

/** Undefined for a process that is none, or that ended and was not yet waited for. */
function ownerOf(pid: number): Owner | undefined {
  const started = startTicks(pid);
  return started === undefined ? undefined : { pid, started };
}

/** Undefined for a text that is no claim. */
function parseOwner(text: string): Owner | undefined {
  try {
    const { pid, started } = JSON.parse(text) as Partial<Owner>;
    return typeof pid === "number" && typeof started === "number" ? { pid, started } : undefined;
  } catch {
    return undefined;
  }
}

async function isAlive(file: string): Promise<boolean> {
  const claimed = parseOwner(await readFile(file, "utf8").catch(() => ""));
  return claimed !== undefined && ownerOf(claimed.pid)?.started === claimed.started;
}

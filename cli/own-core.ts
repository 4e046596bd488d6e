/** A processor for what is measured and another for what measures: neither waits for the other, and a figure is of one core. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { helpersOf, RANKS } from "../netns/precedence.ts";

const run = promisify(execFile);

/** Processors that this process may use, in the words of taskset(1). */
const allowed = (): string => /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "";

/**
 * From now on process `measured` is on the first of this process's processors alone and this process on the others, but for V8's helpers, which may be anywhere: a thread
 * that goes before them and waits for one (a sweep of garbage is asked for again and again until a helper has done its part) would wait for ever on their only processor.
 * Where there is one only, or taskset(1) is missing, all stays as it is. The function returned undoes what concerns this process; neither ever rejects.
 */
export async function shareOut(measured: number): Promise<() => Promise<void>> {
  const all = allowed();
  const [first, ...others] = listed(all);
  const put = (...words: string[]): Promise<unknown> => run("taskset", ["--cpu-list", "--pid", ...words]).catch(() => undefined);
  const pin = (pid: number, list: string): Promise<unknown> => put("--all-tasks", list, String(pid));
  if (first === undefined || others.length === 0) return async () => undefined;
  await Promise.all([pin(measured, String(first)), pin(process.pid, others.join(","))]);
  await Promise.all(helpersOf(process.pid).map((thread) => put(all, thread)));
  return async () => void (await pin(process.pid, all));
}

/** One thread of this process goes before its others, as far as the machine allows; never rejects. */
export async function putThreadFirst(thread: number): Promise<void> {
  await run("chrt", ["--rr", "--pid", String(RANKS.link), String(thread)]).catch(() => undefined);
}

/** `0-3,6` one by one (cpuset(7), list format). */
export const listed = (list: string): readonly number[] =>
  list
    .split(",")
    .filter(Boolean)
    .flatMap((part) => {
      const [from = Number.NaN, to = from] = part.split("-").map(Number);
      return Number.isInteger(from) && Number.isInteger(to) ? Array.from({ length: to - from + 1 }, (_, n) => from + n) : [];
    });

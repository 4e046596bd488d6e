/**
 * Lets a process of a real-time run go before the rest of the machine's work, so that a busy machine does not look like a network that stutters.
 * Linux's round-robin class (sched(7)) comes before all ordinary work; where it is refused, niceness is what is left.
 */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import { promisify } from "node:util";

/**
 * Ranks in the round-robin class, 1 being the lowest: a link is the network and goes before those who speak over it; those go before what V8 compiles and
 * collects beside their main threads, or the first second of a call, when V8 makes faster code of the codec for 60 ms, is a second of stutter (with one
 * rank for all, packets of the first ten frames came up to 100 ms late, since a round takes 100 ms). chosen: a party of a call needs some 6 % of a
 * processor, in pieces of a millisecond; one that runs wild is held to 95 % by the kernel (sched_rt_runtime_us), and the lab ends it.
 */
export const RANKS = { helper: 1, party: 2, link: 3 } as const;
/**
 * What Node.js is told of a process that goes first. V8 shares the marking of live objects out to its helpers, and its main thread asks again in every turn of its event loop
 * whether they are done: at a rank above theirs it asks for as long as they get no processor. Two such parties took both processors of a machine for 13 s, at 90 %
 * each, and nobody else spoke. Collecting by itself costs a party nothing that is heard.
 */
export const WITHOUT_HELPERS: readonly string[] = ["--single-threaded-gc"];
/** What Node.js names V8's own threads (`comm` of proc(5)). */
const HELPER = "V8Worker";
/** chosen: well ahead of ordinary work, and behind the link emulator, which is the network. */
const NICENESS = -15;

/** `$1` is a rank, `$2` a process, `$3` the helpers' rank, and helpers' thread ids follow. */
const PUT = 'chrt --all-tasks --rr --pid "$1" "$2" && low=$3 && shift 3 && for one; do chrt --rr --pid "$low" "$one" || :; done';

/** Resolves when process `pid` and its threads go first, as far as the machine allows; never rejects. */
export async function putFirst(pid: number, as: "party" | "link" = "party"): Promise<void> {
  try {
    const words = [RANKS[as], pid, RANKS.helper, ...helpersOf(pid)].map(String);
    await promisify(execFile)("sh", ["-c", PUT, "put-first", ...words]);
  } catch {
    raise(pid);
  }
}

/** Resolves when one thread goes first, with the links, as far as the machine allows; never rejects. */
export async function putThreadFirst(thread: number): Promise<void> {
  try {
    await promisify(execFile)("chrt", ["--rr", "--pid", String(RANKS.link), String(thread)]);
  } catch {
    rankThread(thread, NICENESS);
  }
}

/** Undoes `putFirst`, so that what the process starts from now on inherits nothing; never rejects. */
export async function putBack(pid: number): Promise<void> {
  await promisify(execFile)("chrt", ["--all-tasks", "--other", "--pid", "0", String(pid)]).catch(() => undefined);
}

/** Threads of process `pid` that V8 works in beside its own. */
export function helpersOf(pid: number): readonly string[] {
  const folder = `/proc/${pid}/task`;
  return readdirSync(folder).filter((thread) => {
    try {
      return readFileSync(`${folder}/${thread}/comm`, "utf8").trim() === HELPER;
    } catch {
      return false; // it has ended
    }
  });
}

let runs = 0;

/**
 * The calling thread, which times the faults of a run, goes before ordinary work until the returned function is called, and behind parties and links: it reads what they
 * say, in pieces that would keep them waiting. Runs of one thread share it. Where the machine refuses it the run goes on without.
 */
export function goFirst(): () => void {
  const thread = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
  if (runs++ === 0) rankThread(thread, NICENESS);
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    if (--runs === 0) rankThread(thread, 0);
  };
}

function rankThread(thread: number, niceness: number): void {
  try {
    setPriority(thread, niceness);
  } catch {
    // not root
  }
}

/**
 * Linux counts niceness by thread: the collector's helpers, for which the main one waits, are to have it too. And where it schedules by session
 * (sched(7), autogroup), that of the session counts, which every launched process leads.
 */
function raise(pid: number): void {
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) setPriority(Number(thread), NICENESS);
    writeFileSync(`/proc/${pid}/autogroup`, String(NICENESS));
  } catch {
    // a machine that refuses it, or a process that is gone: the run goes on without
  }
}

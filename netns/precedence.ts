/**
 * Lets a process of a real-time run go before the rest of the machine's work, so that a busy machine does not look like a network that stutters.
 * Linux's round-robin class (sched(7)) comes before all ordinary work; where it is refused, niceness is what is left.
 */
import { execFile } from "node:child_process";
import { readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import { promisify } from "node:util";

/**
 * Of the round-robin class: 1 is the lowest, and enough. chosen: a party of a call needs some 6 % of a processor, in pieces of a millisecond; one that
 * runs wild is held to 95 % by the kernel (sched_rt_runtime_us), and the lab ends it.
 */
const PRIORITY = "1";
/** chosen: well ahead of ordinary work, and behind the link emulator, which is the network. */
const NICENESS = -15;

/** Resolves when process `pid` and its threads go first, as far as the machine allows; never rejects. */
export async function putFirst(pid: number): Promise<void> {
  try {
    await promisify(execFile)("chrt", ["--all-tasks", "--rr", "--pid", PRIORITY, String(pid)]);
  } catch {
    raise(pid);
  }
}

let runs = 0;

/**
 * The calling thread, which times the faults of a run, goes before ordinary work until the returned function is called, and behind parties and links: it reads what they
 * say, in pieces that would keep them waiting. Runs of one thread share it. Where the machine refuses it the run goes on without.
 */
export function goFirst(): () => void {
  const thread = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
  const rank = (niceness: number): void => {
    try {
      setPriority(thread, niceness);
    } catch {
      // not root
    }
  };
  if (runs++ === 0) rank(NICENESS);
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    if (--runs === 0) rank(0);
  };
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

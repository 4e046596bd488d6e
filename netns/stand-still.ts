/**
 * Has parties' processes stand still and run on, from a thread that goes before them and before ordinary work: a turn of a starved process is as long as the scenario says,
 * whatever the laboratory and the machine have to do.
 */
import { extname, join } from "node:path";
import { Worker } from "node:worker_threads";
import { putThreadFirst } from "./precedence.ts";

/** What the thread is told; lengths in microseconds. A party has one process at a time. */
export type StillOrder =
  /** This is the party's process from now on, and runs. */
  | { readonly type: "process"; readonly party: string; readonly pid: number }
  /** It has none from now on: the one it had is let go first, or is dead. */
  | { readonly type: "gone"; readonly party: string; readonly isDead: boolean }
  | { readonly type: "pause" | "resume"; readonly party: string }
  /** From now on it stands still for the first `still` of every `every`. */
  | { readonly type: "turns"; readonly turns: number; readonly party: string; readonly still: number; readonly every: number }
  | { readonly type: "end"; readonly turns: number };

/** Done at `at`, an instant of CLOCK_MONOTONIC in microseconds, and later than it was to be by `late`. */
export type StillDeed = {
  readonly at: number;
  readonly late: number;
  readonly party: string;
  readonly state: "paused" | "resumed";
};
export type StillReport = { readonly type: "ready"; readonly thread: number } | ({ readonly type: "done" } & StillDeed);

export type StandStill = {
  /** Resolves when the thread is there and goes first, as far as the machine allows. */
  ready(): Promise<void>;
  order(order: StillOrder): void;
  close(): Promise<void>;
};

const THREAD = join(import.meta.dirname, `stand-still-thread${extname(import.meta.filename)}`);

/** The thread is started by the first call of `ready`, or by the first order to stand still. `failed`: it cannot be had, or broke. */
export function openStandStill(done: (deed: StillDeed) => void, failed: (error: unknown) => void): StandStill {
  const processes = new Map<string, StillOrder>();
  const isFirst = Promise.withResolvers<void>();
  let worker: Worker | undefined;
  const thread = (): Worker => {
    if (worker !== undefined) return worker;
    worker = new Worker(THREAD);
    worker.unref();
    worker.on("error", failed);
    worker.on("message", (report: StillReport) => {
      if (report.type === "done") done(report);
      else void putThreadFirst(report.thread).then(isFirst.resolve);
    });
    for (const order of processes.values()) worker.postMessage(order);
    return worker;
  };
  return {
    ready: () => {
      thread();
      return isFirst.promise;
    },
    order: (order) => {
      if (order.type === "process") processes.set(order.party, order);
      else if (order.type === "gone") processes.delete(order.party);
      (order.type === "pause" || order.type === "turns" ? thread() : worker)?.postMessage(order);
    },
    close: async () => {
      await worker?.terminate();
    },
  };
}

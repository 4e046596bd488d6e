/**
 * Runs scenarios in a worker thread, so that this one can show progress and hear Ctrl-C while a simulation computes. A
 * laboratory with a mutation has its worker load impl/ sabotaged (`sabotage.ts`).
 */
import { Worker } from "node:worker_threads";
import type { NetnsRun } from "../netns/lab.ts";
import type { Result } from "../reports/result.ts";
import type { Fault, Scenario } from "../scenarios/expanded.ts";
import type { Mutation } from "../scenarios/mutation.ts";
import { CliError } from "./exit.ts";
import type { HostPort } from "./socket-address.ts";
import { MODULE_EXTENSION } from "./version.ts";

/** The laboratories there are. */
export const LABS = ["sim", "netns", "docker"] as const;
export type LabName = (typeof LABS)[number];
/** Laboratories whose runs are the same again for the same seed. */
export const isReproducible = (lab: string): boolean => lab === "sim";

/** One run for the worker. */
export type LabJob = {
  readonly lab: LabName;
  /** Link driver of a laboratory on a real kernel, `auto` when not given; sim has its own model. */
  readonly linkDriver?: NonNullable<NetnsRun["driver"]>;
  /** Write what each interface sent and received into the folder. */
  readonly capture?: boolean;
  readonly scenario: Scenario;
  readonly seed: number;
  readonly codec: "real" | "sized";
  readonly crypto: "real" | "null";
  /** An existing empty folder to fill, or null to write nothing. */
  readonly folder: string | null;
  /** What result.json calls the folder: as the user would type it. */
  readonly dir: string;
  /** Send the log's lines back (replay compares them). */
  readonly wantLines: boolean;
  /** Say which probes the run hit (a campaign counts them); not when not given. */
  readonly wantProbes?: boolean;
  /** The commit named in the result; asked for once, not once a worker. */
  readonly commit: string;
  /** Where all parties' metrics are served while a run on a real kernel lasts; a simulation has none. */
  readonly metrics?: HostPort;
  /** Write run.ndjson while it comes, for those who watch; a run on a real kernel always does. */
  readonly live?: boolean;
  /** Mutation the worker was sabotaged with, for the result. */
  readonly sabotage: string | null;
};

/** What came of it. */
export type LabReport = { readonly result: Result; readonly lines: readonly string[]; readonly probes: readonly string[] };

/** To the worker: a job, with what somebody wants to hear of it meanwhile (a message costs as much as many packets), or the order to tear down the one that runs. */
export type LabOrder =
  | { readonly type: "job"; readonly job: LabJob; readonly hears: { readonly progress: boolean; readonly notices: boolean } }
  | { readonly type: "stop" }
  /** Do a fault by hand, in a run on a real kernel that goes on. */
  | { readonly type: "inject"; readonly fault: Fault };

/** From the worker: virtual time now and then, and finally the report, or the text of an exception (a bug of ours). */
export type LabMessage =
  | { readonly type: "progress"; readonly virtualMs: number }
  /** What a person is told while it goes. */
  | { readonly type: "notice"; readonly lines: readonly string[] }
  | { readonly type: "report"; readonly report: LabReport }
  /** The machine lacks something (exit code 5), or the scenario is at fault (2). */
  | { readonly type: "refused"; readonly code: CliError["code"]; readonly message: string }
  | { readonly type: "threw"; readonly stack: string };

export type Laboratory = {
  /** One run at a time. Rejects when the lab throws or `signal` is aborted (the worker is gone then). */
  run(
    job: LabJob,
    watch?: { readonly signal?: AbortSignal; progress?(virtualMs: number): void; notice?(lines: readonly string[]): void },
  ): Promise<LabReport>;
  /** Does a fault by hand in the run that goes on; nothing happens when none does, or before its parties are up. */
  inject(fault: Fault): void;
  /** What its thread has had of a processor so far, milliseconds. Rejects once the thread is gone. */
  processorMs(): Promise<number>;
  close(): Promise<void>;
};

/** chosen: below the time that the command leaves for tidying up after a signal (terminal.ts). */
const STOP_MS = 4_000;

/** Opens a laboratory; `mutation` names one of scenarios/mutations.ts, or is one itself. */
export function openLaboratory(mutation: string | Mutation | null = null): Laboratory {
  const worker = new Worker(new URL(`./lab-worker${MODULE_EXTENSION}`, import.meta.url), { workerData: { mutation } });
  // Deaf until asked: an idle laboratory does not keep the process alive.
  worker.unref();
  return {
    run: (job, watch) =>
      new Promise((resolve, reject) => {
        watch?.signal?.throwIfAborted();
        worker.ref();
        let patience: NodeJS.Timeout | undefined;
        const finish = (): void => {
          clearTimeout(patience);
          worker.unref();
          worker.off("message", hear);
          worker.off("error", fail);
          worker.off("exit", gone);
          watch?.signal?.removeEventListener("abort", abort);
        };
        const hear = (message: LabMessage): void => {
          if (message.type === "notice") {
            watch?.notice?.(message.lines);
            return;
          }
          if (message.type === "progress") {
            watch?.progress?.(message.virtualMs);
            return;
          }
          finish();
          if (message.type === "report") resolve(message.report);
          else if (message.type === "refused") reject(new CliError(message.code, message.message));
          else reject(new Error(`the laboratory threw: ${message.stack}`));
        };
        const fail = (error: unknown): void => {
          finish();
          reject(error instanceof Error ? error : new Error(String(error)));
        };
        const gone = (code: number): void => fail(new Error(`the laboratory's thread ended with code ${code}`));
        const abort = (): void => {
          const end = (): void => {
            finish();
            worker.terminate().then(() => reject(new Error("interrupted")), reject);
          };
          if (isReproducible(job.lab)) return end();
          // A real run owns processes and namespaces: it takes them down and reports, or is ended when it does not.
          patience = setTimeout(end, STOP_MS);
          send({ type: "stop" });
        };
        const send = (order: LabOrder): void => worker.postMessage(order);
        worker.on("message", hear);
        worker.on("error", fail);
        worker.on("exit", gone);
        watch?.signal?.addEventListener("abort", abort, { once: true });
        send({ type: "job", job, hears: { progress: watch?.progress !== undefined, notices: watch?.notice !== undefined } });
      }),
    inject: (fault) => worker.postMessage({ type: "inject", fault } satisfies LabOrder),
    processorMs: async () => {
      // The answer comes from the thread, for which alone nobody would wait.
      worker.ref();
      try {
        const { user, system } = await worker.cpuUsage();
        return (user + system) / 1_000;
      } finally {
        worker.unref();
      }
    },
    close: async () => {
      await worker.terminate();
    },
  };
}

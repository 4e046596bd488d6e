/** The laboratory's thread: sabotages impl/ when told to, loads the simulator, then runs the jobs it is sent. */
import { parentPort, workerData } from "node:worker_threads";
import { invariant } from "../impl/base/invariant.ts";
import type { NetnsRun } from "../netns/lab.ts";
import type { Mutation } from "../scenarios/mutation.ts";
import { CliError } from "./exit.ts";
import type { LabMessage, LabOrder } from "./laboratory.ts";
import { sabotage } from "./sabotage.ts";

const port = parentPort;
invariant(port !== null, "lab-worker.ts runs in a worker thread");
const mutation: string | Mutation | null = workerData?.mutation ?? null;
const applied = mutation === null ? (): boolean => true : sabotage(mutation);
// Imported here and not above, because static imports load before the sabotage is in place.
const { runJob } = await import("./lab-job.ts");
if (!applied())
  throw new Error(
    `mutation ${typeof mutation === "string" ? mutation : mutation?.name} changed a module that the simulator never loads`,
  );

const send = (message: LabMessage): void => port.postMessage(message);
type Hand = Parameters<NonNullable<NetnsRun["onReady"]>>[0];
let running = new AbortController();
let hand: Hand | undefined;
port.on("message", (order: LabOrder) => {
  if (order.type === "stop") return running.abort(new Error("interrupted"));
  if (order.type === "inject") return hand?.inject(order.fault);
  running = new AbortController();
  hand = undefined;
  const onReady = (ready: Hand): void => {
    hand = ready;
  };
  runJob(order.job, {
    signal: running.signal,
    ...(order.hears.progress ? { progress: (virtualMs: number) => send({ type: "progress", virtualMs }) } : {}),
    ...(order.hears.notices ? { notice: (lines: readonly string[]) => send({ type: "notice", lines }) } : {}),
    onReady,
  }).then(
    (report) => send({ type: "report", report }),
    (error: unknown) => send(failure(error)),
  );
});

/** How a machine refuses to take a run's files; any other system error is a bug of ours. */
const REFUSALS: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "EIO", "ENAMETOOLONG"]);

function failure(error: unknown): LabMessage {
  if (error instanceof CliError) return { type: "refused", code: error.code, message: error.message };
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (error instanceof Error && REFUSALS.has(code))
    return {
      type: "refused",
      code: "lacking",
      message: `${error.message}; want an --out where there is room and writing is allowed`,
    };
  return { type: "threw", stack: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

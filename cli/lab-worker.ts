/** The laboratory's thread: sabotages impl/ when told to, loads the simulator, then runs the jobs it is sent. */
import { parentPort, workerData } from "node:worker_threads";
import { invariant } from "../impl/base/invariant.ts";
import type { LabJob, LabMessage } from "./laboratory.ts";
import { sabotage } from "./sabotage.ts";

const port = parentPort;
invariant(port !== null, "lab-worker.ts runs in a worker thread");
const mutation: unknown = workerData?.mutation;
const applied = typeof mutation === "string" ? sabotage(mutation) : (): boolean => true;
// Imported here and not above, because static imports load before the sabotage is in place.
const { runJob } = await import("./lab-job.ts");
if (!applied()) throw new Error(`mutation ${mutation} changed a module that the simulator never loads`);

const send = (message: LabMessage): void => port.postMessage(message);
port.on("message", (job: LabJob) => {
  runJob(job, (virtualMs) => send({ type: "progress", virtualMs })).then(
    (report) => send({ type: "report", report }),
    (error: unknown) => send({ type: "threw", stack: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});

/** The thread of `wake-timer.ts`: sleeps until the deadline that it shares with its owner, sends word, and sleeps again. */
import { parentPort, workerData } from "node:worker_threads";
import { invariant } from "../../impl/base/invariant.ts";
import { monotonicClock } from "../../impl/io/monotonic-clock.ts";
import { type SharedDeadline, sleepUntilDue } from "./shared-deadline.ts";

const port = parentPort;
invariant(port !== null, "wake-thread.ts runs in a worker thread");
const deadline = workerData as SharedDeadline;
const { now } = monotonicClock(0);
let met: number | undefined;
for (;;) {
  met = sleepUntilDue(deadline, now, met);
  port.postMessage(null);
}

/** A flood at a relay that carries calls: garbage, and first packets of handshakes that nobody goes on with. */
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { MeasuredProcess } from "./measured-process.ts";
import { putThreadBehind } from "./own-core.ts";
import { MODULE_EXTENSION } from "./version.ts";

/** What was thrown at the relay while it carried calls, and its resident memory in octets. */
export type Flood = {
  readonly garbage: number;
  readonly halfOpen: number;
  readonly residentBefore: number;
  readonly residentAtWorst: number;
};

/** What the thread is told: so much evenly over so many seconds; it ends early when the first word of `control` is not 0 any more. */
export type FloodOrder = {
  readonly port: number;
  readonly garbage: number;
  readonly flights: readonly Uint8Array[];
  readonly seconds: number;
  readonly control: SharedArrayBuffer;
};

/** Between looks at the relay's memory, milliseconds. */
const LOOK_EVERY = 100;

/** Throws `garbage` datagrams and `flights`, first packets of handshakes, evenly over so many seconds. */
export async function flood(relay: MeasuredProcess, order: Omit<FloodOrder, "control">, signal: AbortSignal): Promise<Flood> {
  const control = new SharedArrayBuffer(4);
  const worker = new Worker(new URL(`./relay-flood-thread${MODULE_EXTENSION}`, import.meta.url), {
    workerData: { ...order, control } satisfies FloodOrder,
  });
  try {
    const [{ thread }] = (await once(worker, "message")) as [{ readonly thread: number }];
    // It has begun at the rank of the thread that prepares voice.
    await putThreadBehind(thread);
    const residentBefore = await relay.residentBytes();
    let residentAtWorst = residentBefore;
    let isOver = false;
    const over = once(worker, "message").then((told) => {
      isOver = true;
      return told as [{ readonly thrown: number; readonly opened: number }];
    });
    worker.postMessage("go");
    while (!isOver) {
      await pause(LOOK_EVERY);
      residentAtWorst = Math.max(residentAtWorst, await relay.residentBytes());
      if (signal.aborted) Atomics.store(new Int32Array(control), 0, 1);
    }
    const [{ thrown, opened }] = await over;
    return { garbage: thrown, halfOpen: opened, residentBefore, residentAtWorst };
  } finally {
    await worker.terminate();
  }
}

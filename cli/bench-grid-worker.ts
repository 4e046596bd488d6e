/** A thread of a benchmark's grid: one link after the other, as asked. */
import { parentPort } from "node:worker_threads";
import { invariant } from "../impl/base/invariant.ts";
import type { GridAnswer, GridOrder } from "./bench-grid.ts";

const port = parentPort;
invariant(port !== null, "bench-grid-worker.ts runs in a worker thread");

async function figures({ bench, link, seeds }: GridOrder): Promise<readonly unknown[]> {
  if (bench === "fec") {
    const { fecGrid, GRID } = await import("./fec-grid.ts");
    return fecGrid({ links: GRID.filter(({ name }) => name === link), ...(seeds === undefined ? {} : { seeds }) });
  }
  const { jitterGrid } = await import("./jitter-grid.ts");
  return jitterGrid(link, seeds);
}

port.on("message", (order: GridOrder) => {
  const answer = (one: GridAnswer<unknown>): void => port.postMessage(one);
  figures(order).then(
    (found) => answer({ figures: found }),
    (error: unknown) => answer({ threw: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});

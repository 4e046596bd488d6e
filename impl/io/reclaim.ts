/**
 * Gives back what a flood of handshakes has left behind. The QUIC engine keeps some 20 kB a connection outside JavaScript's heap, and the handle that frees it is so
 * small that no collection comes for its sake; what is freed then stays with the C library until it is told to return it (malloc_trim(3)).
 */
import { createRequire } from "node:module";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** After the last word of a flood. chosen: a flood that pauses is one flood, and costs one collection. */
const QUIET_MS = 5_000;

export type Reclaimer = {
  /** A flood is over, or pauses: memory is given back once it has been quiet for a while. */
  afterFlood(): void;
  close(): void;
};

export function reclaimer(reclaim: () => unknown = reclaimMemory): Reclaimer {
  let timer: NodeJS.Timeout | undefined;
  return {
    afterFlood: () => {
      clearTimeout(timer);
      timer = setTimeout(reclaim, QUIET_MS).unref();
    },
    close: () => clearTimeout(timer),
  };
}

/**
 * Collects garbage, which stops the process for some 10 ms (measured beside 2,000 connections: 5 to 11 ms of the thread's time), and returns free memory to the system. Where the C library has no malloc_trim (musl, macOS) the memory
 * stays with the process, to be used again.
 */
export async function reclaimMemory(): Promise<void> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  await new Promise((resolve) => setTimeout(resolve, 100)); // finalizers run in turns of their own
  try {
    const { load } = createRequire(import.meta.url)("koffi") as typeof import("koffi");
    load("libc.so.6").func("int malloc_trim(size_t)")(0);
  } catch {
    // Another C library, or a platform that koffi does not know.
  }
}

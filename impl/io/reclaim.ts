/**
 * Gives back what a flood of handshakes has left behind. The QUIC engine keeps some 20 kB a connection outside JavaScript's heap, and the handle that frees it is so
 * small that no collection comes for its sake; what is freed then stays with the C library until it is told to return it (malloc_trim(3)).
 */
import { createRequire } from "node:module";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Handshakes given up until the engine's memory of them is collected, in the midst of a flood. chosen: some 5 MB; a flood that proves no address gives up 64 a second. */
const MOST_DROPPED = 256;
/** After the last word of a flood. chosen: a flood that pauses is one flood, and costs one collection. */
const QUIET_MS = 5_000;

export type Reclaimer = {
  /** A flood is over, or pauses: memory is given back once it has been quiet for a while. */
  afterFlood(): void;
  /** A handshake was given up: nobody holds its connection any more. */
  dropped(): void;
  close(): void;
};

export function reclaimer(reclaim: () => unknown = reclaimMemory, collect: () => void = collectGarbage): Reclaimer {
  let timer: NodeJS.Timeout | undefined;
  let dropped = 0;
  return {
    afterFlood: () => {
      clearTimeout(timer);
      timer = setTimeout(reclaim, QUIET_MS).unref();
    },
    dropped: () => {
      if (++dropped < MOST_DROPPED) return;
      dropped = 0;
      collect();
    },
    close: () => clearTimeout(timer),
  };
}

/** Stops the process for some 10 ms (measured beside 2,000 connections: 5 to 11 ms of the thread's time). */
function collectGarbage(): void {
  if (collector === undefined) {
    setFlagsFromString("--expose-gc");
    collector = runInNewContext("gc") as () => void;
  }
  collector();
}
let collector: (() => void) | undefined;

/**
 * Collects garbage and returns free memory to the system. Where the C library has no malloc_trim (musl, macOS) the memory
 * stays with the process, to be used again.
 */
export async function reclaimMemory(): Promise<void> {
  collectGarbage();
  await new Promise((resolve) => setTimeout(resolve, 100)); // finalizers run in turns of their own
  try {
    const { load } = createRequire(import.meta.url)("koffi") as typeof import("koffi");
    load("libc.so.6").func("int malloc_trim(size_t)")(0);
  } catch {
    // Another C library, or a platform that koffi does not know.
  }
}

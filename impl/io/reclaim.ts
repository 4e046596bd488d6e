/**
 * Gives back what a flood of handshakes has left behind. The QUIC engine keeps some 20 kB a connection outside JavaScript's heap, and the handle that frees it is so
 * small that no collection comes for its sake; what is freed then stays with the C library until it is told to return it (malloc_trim(3)).
 */
import { createRequire } from "node:module";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Handshakes given up until the engine's memory of them is collected, in the midst of a flood. chosen: some 5 MB; a flood that proves no address gives up 64 a second. */
const MOST_DROPPED = 256;
/** So many more given up after a flood are its tail: those that began when it seemed to be over time out after that. chosen: 0.3 MB; who only mistypes an address makes none. */
const TAIL = 16;
/** After the last word of a flood. chosen: a flood that pauses is one flood, and costs one collection. */
const QUIET_MS = 5_000;
/**
 * Below this part of its time the event loop is at rest, and may stand still for a thorough collection. chosen: a thousand clients that only keep their sessions alive stay below it, twenty calls
 * do not.
 */
const AT_REST = 0.1;

export type Reclaimer = {
  /** A flood is over, or pauses: memory is given back once it has been quiet for a while. */
  afterFlood(): void;
  /** A handshake was given up: nobody holds its connection any more. */
  dropped(): void;
  close(): void;
};

/** What a reclaimer does and looks at; the process's own memory and event loop unless told. */
export type Means = {
  /** Stops the process for some 10 ms. */
  readonly reclaim: () => unknown;
  /** ... for some 100 ms. */
  readonly reclaimAll: () => unknown;
  readonly collect: () => void;
  /** Begins to measure which part of its time the event loop is busy; the function returned tells. */
  readonly measureBusy: () => () => number;
};

const OWN: Means = {
  reclaim: () => reclaimMemory(),
  reclaimAll: () => reclaimMemory("last-resort"),
  collect: () => collectGarbage(),
  measureBusy: () => {
    const began = performance.eventLoopUtilization();
    return () => performance.eventLoopUtilization(began).utilization;
  },
};

export function reclaimer(means: Partial<Means> = {}): Reclaimer {
  const { reclaim, reclaimAll, collect, measureBusy } = { ...OWN, ...means };
  let timer: NodeJS.Timeout | undefined;
  /** Since garbage was last collected for their sake; and since memory was last given back, while there is a flood whose memory still is to be. */
  let [dropped, tail, isOwed] = [0, 0, false];
  const later = (act: () => void): void => {
    clearTimeout(timer);
    timer = setTimeout(act, QUIET_MS).unref();
  };
  /** V8 keeps the pages that its young generation has grown by in a flood for as long as much is allocated, and then until it looks: what is left is given back when nobody is disturbed by that. */
  const whenAtRest = (): void => {
    const busy = measureBusy();
    later(() => {
      if (busy() >= AT_REST) return whenAtRest();
      isOwed = false;
      reclaimAll();
    });
  };
  const owe = (): void => {
    isOwed = true;
    later(() => {
      tail = 0;
      reclaim();
      whenAtRest();
    });
  };
  return {
    afterFlood: owe,
    dropped: () => {
      if (isOwed && ++tail >= TAIL) owe();
      if (++dropped < MOST_DROPPED) return;
      dropped = 0;
      collect();
    },
    close: () => clearTimeout(timer),
  };
}

/** V8's words (`gc-extension.cc`): what a full collection finds; or, again and again, all that can be had, pages kept for later and code not lately used among it. */
type Flavor = "regular" | "last-resort";
type Collector = (how: { readonly type: "major"; readonly execution: "sync"; readonly flavor: Flavor }) => void;

/** Stops the process for some 10 ms (measured beside 2,000 connections: 5 to 11 ms of the thread's time), as a last resort for some 100. */
function collectGarbage(flavor: Flavor = "regular"): void {
  if (collector === undefined) {
    setFlagsFromString("--expose-gc");
    collector = runInNewContext("gc") as Collector;
  }
  collector({ type: "major", execution: "sync", flavor });
}
let collector: Collector | undefined;

/**
 * Keeps V8's young generation as large as it is. It grows when much survives a collection, as in a flood, and while there is as much to do as a relay's calls make it does not
 * shrink again: three times 16 MB that nothing needs. Small, it is collected more often, for less each time.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}

/**
 * Collects garbage and returns free memory to the system. Where the C library has no malloc_trim (musl, macOS) the memory
 * stays with the process, to be used again.
 */
export async function reclaimMemory(flavor: Flavor = "regular"): Promise<void> {
  collectGarbage(flavor);
  await new Promise((resolve) => setTimeout(resolve, 100)); // finalizers run in turns of their own
  try {
    const { load } = createRequire(import.meta.url)("koffi") as typeof import("koffi");
    load("libc.so.6").func("int malloc_trim(size_t)")(0);
  } catch {
    // Another C library, or a platform that koffi does not know.
  }
}

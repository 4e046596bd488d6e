/** What something holds on to over an hour of virtual time: a benchmark's answer to "does it grow". */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { FRAME_MICROS } from "../impl/core/codec.ts";

/** Frames of 20 ms in an hour. */
export const HOUR_FRAMES: number = 3_600_000_000 / FRAME_MICROS;

/** Octets more, on the heap and in buffers, after an hour of `frame` than after its first five minutes, both right after a collection. */
export function hourGrowth(frame: (n: number) => void): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const held = (): number => {
    // Twice: what a finaliser lets go in the first is there for the second. Not `external`: megabytes of what is Node.js' own come and go there.
    collect();
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  let early = 0;
  for (let n = 0; n < HOUR_FRAMES; n++) {
    frame(n);
    if (n === HOUR_FRAMES / 12) early = held();
  }
  return held() - early;
}

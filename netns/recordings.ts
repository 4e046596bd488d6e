/** What a client heard in the whole run, from the recordings of its processes: each begins at the run's beginning. */
import { existsSync } from "node:fs";
import { readWav, WavError } from "../impl/io/wav.ts";

/** 48 kHz mono from the run's beginning; where two recordings hold something, the later process counts. A process that heard nothing left none. */
export async function readRecordings(files: readonly string[]): Promise<Int16Array> {
  const recordings: Int16Array[] = [];
  for (const file of files) {
    if (!existsSync(file)) continue;
    try {
      recordings.push(await readWav(file));
    } catch (error) {
      if (!(error instanceof WavError)) throw error; // nothing was recorded: the process never played a frame
    }
  }
  const out = new Int16Array(recordings.reduce((longest, one) => Math.max(longest, one.length), 0));
  for (const one of recordings) {
    const begin = one.findIndex((sample) => sample !== 0);
    if (begin !== -1) out.set(one.subarray(begin), begin);
  }
  return out;
}

/** run.ndjson while its run goes on: lines as they come, for those who watch. When the run is over the log in the order of its instants takes its place. */
import { closeSync, openSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

export type GrowingLog = {
  write(line: string): void;
  /** Writes what is left. */
  close(): void;
  discard(): Promise<void>;
};

/** chosen: what a watcher does not notice, and a disk neither. */
const FLUSH_EVERY_MS = 40;

/** In an existing folder; the file is made with its first line, so that a laboratory which cannot be had leaves none. Synchronous, because a simulation leaves its thread no time for anything else. */
export function openGrowingLog(folder: string): GrowingLog {
  const path = join(folder, "run.ndjson");
  let file: number | undefined;
  let pending = "";
  let flushed = performance.now();
  let isOpen = true;
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (pending !== "" && isOpen) {
      file ??= openSync(path, "wx");
      writeSync(file, pending);
    }
    pending = "";
    flushed = performance.now();
  };
  return {
    write(line) {
      pending += `${line}\n`;
      if (performance.now() - flushed > FLUSH_EVERY_MS) return flush();
      // What a quiet run says last is not kept waiting for its next word.
      timer ??= setTimeout(flush, FLUSH_EVERY_MS).unref();
    },
    close() {
      flush();
      isOpen = false;
      if (file !== undefined) closeSync(file);
    },
    discard: () => rm(path, { force: true }),
  };
}

/** Reads a run's log while it grows: whole lines, each once, in the order they were written. */
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import type { LogRecord } from "../../impl/base/record.ts";
import { readLog } from "../../reports/read-log.ts";

export type Followed = {
  /** In the order of `t`; grows in place. */
  readonly records: readonly LogRecord[];
  /** Reads what has been added since; says whether the log has ended. */
  read(): Promise<boolean>;
};

/** Octets read at once. */
const CHUNK = 1 << 20;

/** Of the run in `folder`, whose log need not be there yet. Lines that are no records are left out, as they are by readers of finished logs. */
export function followLog(folder: string): Followed {
  const path = join(folder, "run.ndjson");
  const records: LogRecord[] = [];
  let offset = 0;
  let rest = "";
  let hasEnded = false;
  const decoder = new TextDecoder();
  const take = (text: string): void => {
    const lines = rest + text;
    const cut = lines.lastIndexOf("\n") + 1;
    rest = lines.slice(cut);
    const read = readLog(lines.slice(0, cut)).records;
    for (const record of read) {
      records.push(record);
      if (record.ev === "end") hasEnded = true;
    }
    // Parties' lines come some milliseconds out of order.
    if (read.length > 0) records.sort((a, b) => a.t - b.t);
  };
  return {
    records,
    async read() {
      // Once ended, the file is put in order and its octets move: nothing in it is new.
      if (hasEnded) return true;
      const size = (await stat(path).catch(() => undefined))?.size ?? 0;
      if (size <= offset) return false;
      const file = await open(path);
      try {
        while (offset < size) {
          const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(CHUNK, size - offset)), 0, null, offset);
          if (bytesRead === 0) break;
          offset += bytesRead;
          take(decoder.decode(buffer.subarray(0, bytesRead), { stream: true }));
        }
      } finally {
        await file.close();
      }
      return hasEnded;
    },
  };
}

/** The log's first record, if it has one yet. */
export async function firstRecord(log: Followed): Promise<(LogRecord & { readonly ev: "run" }) | undefined> {
  await log.read();
  const [first] = log.records;
  return first?.ev === "run" ? first : undefined;
}

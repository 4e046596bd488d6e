/** Opens a recording from the field: its format is told by its content, never by its name. */
import { open, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { usage } from "../exit.ts";
import { captureSource } from "./capture-source.ts";
import { eventLogSource } from "./event-log-source.ts";
import type { FieldFormat, FieldSource } from "./field-event.ts";
import { internalsSource } from "./internals-source.ts";
import { captureFormat } from "./packet-capture.ts";
import { tableSource } from "./table-source.ts";

export type FieldOptions = {
  /** Of an event log with several listeners: whose view. */
  readonly party?: string;
  /** Of a capture: the address of the end it is looked at from. */
  readonly local?: string;
};

const KNOWN =
  "want a client's event log, a dump of chrome://webrtc-internals, a pcap or pcapng, or a CSV with time and rtt, loss or jitter";
/** Octets that tell the format. */
const HEAD = 4_096;

/** `word` is relative to `folder`. Rejects with CliError for what is no recording. */
export async function openField(word: string, folder: string, options: FieldOptions): Promise<FieldSource> {
  const path = resolve(folder, word);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw usage(`${word}: there is no such file`, KNOWN);
  if (!found.isFile()) throw usage(`${word}: it is no file`, KNOWN);
  const format = await fieldFormat(path, word);
  if (options.party !== undefined && format !== "event-log")
    throw usage(`--party ${options.party}: ${word} is no event log`, "leave it out");
  if (options.local !== undefined && format !== "capture")
    throw usage(`--local ${options.local}: ${word} is no capture`, "leave it out");
  switch (format) {
    case "capture":
      return captureSource(path, word, options.local);
    case "event-log":
      return eventLogSource(path, word, options.party);
    case "webrtc-internals":
      return internalsSource(path, word);
    case "table":
      return tableSource(path, word);
  }
}

/** Rejects with CliError for what is no recording; `want` says what else would do. */
export async function fieldFormat(path: string, word: string, want: string = KNOWN): Promise<FieldFormat> {
  const head = await headOf(path, word);
  if (head.length === 0) throw usage(`${word}: it is empty`, want);
  if (captureFormat(head) !== undefined) return "capture";
  if (head[0] === 0x1f && head[1] === 0x8b) throw usage(`${word}: it is compressed`, `unpack it: gunzip ${word}`);
  const text = new TextDecoder().decode(head).replace(/^\uFEFF/, "");
  if (text.includes("\0")) throw usage(`${word}: no known format`, want);
  const line = text.split("\n", 1)[0] ?? "";
  if (text.trimStart().startsWith("{")) return /"ev"\s*:/.test(line) ? "event-log" : "webrtc-internals";
  if (line.includes(",")) return "table";
  throw usage(`${word}: no known format`, want);
}

async function headOf(path: string, word: string): Promise<Uint8Array> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw usage(`${word}: ${error.code === "EACCES" ? "it may not be read" : error.message}`, "want a file that can be read");
  });
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(HEAD), 0, HEAD, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

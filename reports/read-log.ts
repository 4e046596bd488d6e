/**
 * Text of `run.ndjson` -> records. Total: no input makes it throw. A line that is not a record is reported with its number and
 * left out; a last line cut short (the process died while writing) is told apart from a malformed one.
 */

import { linesOf } from "../impl/base/log-hash.ts";
import type { LogRecord, Saying } from "../impl/base/record.ts";

/** A line that is not a record: its number from 1, and why. */
export type LogProblem = { readonly line: number; readonly reason: string };

export type ReadLog = {
  readonly records: readonly LogRecord[];
  readonly problems: readonly LogProblem[];
  /** The last line has no line feed and is not a record: the log ends in the middle of a write. */
  readonly truncated: boolean;
};

/** Reads a whole log. */
export function readLog(text: string): ReadLog {
  const records: LogRecord[] = [];
  const problems: LogProblem[] = [];
  const lines = linesOf(text);
  let truncated = false;
  for (const [index, line] of lines.entries()) {
    const read = readLine(line);
    if (read.ok) records.push(read.record);
    else if (index === lines.length - 1 && !text.endsWith("\n")) truncated = true;
    else problems.push({ line: index + 1, reason: read.reason });
  }
  return { records, problems, truncated };
}

type ReadLine = { readonly ok: true; readonly record: LogRecord } | { readonly ok: false; readonly reason: string };

/** One line -> one record; the reason names the field at fault. */
export function readLine(line: string): ReadLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { ok: false, reason: "not JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { ok: false, reason: "not an object" };
  const fields = new Map<string, unknown>(Object.entries(value));
  const ev = fields.get("ev");
  const shape = typeof ev === "string" ? SHAPES.get(ev) : undefined;
  if (shape === undefined) return { ok: false, reason: `unknown ev ${JSON.stringify(ev)}` };
  for (const [name, fits] of [...STAMP, ...shape]) {
    const found = fields.get(name);
    if (!fits(found)) return { ok: false, reason: `${name}: unfit value ${JSON.stringify(found)?.slice(0, 80)}` };
  }
  return { ok: true, record: value as LogRecord };
}

type Check = (value: unknown) => boolean;
type Shape = readonly (readonly [name: string, fits: Check])[];

const text: Check = (value) => typeof value === "string";
const number: Check = (value) => typeof value === "number" && Number.isFinite(value);
const whole: Check = (value) => Number.isSafeInteger(value);
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    typeof value === "string" && words.includes(value);
const maybe =
  (fits: Check): Check =>
  (value) =>
    value === undefined || fits(value);
const each = (...names: readonly string[]): Shape => names.map((name) => [name, number] as const);

const networkInterface: Check = (value) => {
  if (typeof value !== "object" || value === null) return false;
  const { name, addresses, isDefault } = value as { name?: unknown; addresses?: unknown; isDefault?: unknown };
  return text(name) && Array.isArray(addresses) && addresses.every(text) && typeof isDefault === "boolean";
};

const STAMP: Shape = [
  ["t", count],
  ["who", text],
];
const FRAMES: Shape = [
  ["n", count],
  ["at", count],
  ["step", (value) => whole(value) || (Array.isArray(value) && value.every(whole))],
];
const MEDIA: Shape = [["call", text], ["key", text], ["seq", count], ...FRAMES];

/** The required fields of each record of impl/base/record.ts, of which none is left out; optional ones where a measurement uses them. */
const EACH: Readonly<Record<Saying["ev"], Shape>> = {
  run: [
    ["schema", oneOf("midcall/log@1")],
    ["scenario", text],
    ["lab", oneOf("sim", "netns", "docker", "process")],
    ["seed", text],
    ["codec", oneOf("real", "sized")],
    ["crypto", oneOf("real", "null")],
    ["jitterBuffer", maybe(oneOf("neteq", "ema"))],
  ],
  end: [
    ["reason", oneOf("finished", "interrupted", "crashed")],
    ["detail", maybe(text)],
  ],
  process: [["state", oneOf("started", "killed", "paused", "resumed", "exited")]],
  fault: [
    ["fault", count],
    ["state", oneOf("applied", "healed")],
    ["queuedUntil", maybe(count)],
    ["kind", text],
    ["target", text],
    ["label", text],
  ],
  action: [
    ["action", count],
    ["does", oneOf("register", "deregister", "hang-up")],
    ["relay", maybe(text)],
    ["address", maybe(text)],
  ],
  drop: [
    ["where", text],
    ["cause", text],
    ["bytes", count],
    ["fault", maybe(count)],
  ],
  touched: [
    ["fault", count],
    ["what", text],
    ["packets", count],
  ],
  session: [
    ["session", whole],
    ["state", text],
    ["rttMs", maybe(number)],
  ],
  signal: [
    ["dir", oneOf("sent", "received")],
    ["type", text],
    ["session", whole],
    ["call", maybe(text)],
    ["addresses", maybe((value) => Array.isArray(value) && value.every(text))],
    ["ok", maybe((value) => typeof value === "boolean")],
    ["present", maybe((value) => typeof value === "boolean")],
  ],
  refused: [
    ["reason", text],
    ["what", text],
    ["count", count],
  ],
  registration: [
    ["state", oneOf("idle", "connecting", "registered", "reconnecting", "switching", "refused")],
    ["supervisors", count],
    ["delayMs", maybe(number)],
  ],
  call: [
    ["call", text],
    ["state", oneOf("offering", "ringing", "answered", "active", "resuming", "resumed", "ended")],
    ["peer", text],
    ["reason", maybe(text)],
  ],
  path: [
    ["call", text],
    ["path", oneOf("relay", "direct")],
    ["candidate", oneOf("host", "mapped", "reflexive", "relay")],
  ],
  "candidate-pair": [
    ["call", text],
    ["session", whole],
    ["remote", text],
    ["candidate", oneOf("host", "mapped", "reflexive")],
    ["state", oneOf("in-progress", "succeeded", "failed", "closed", "migrated")],
    ["reason", maybe(text)],
  ],
  generation: [
    ["call", text],
    ["action", oneOf("sent", "delivered", "applied", "refused")],
    ["generation", number],
    ["last", number],
  ],
  "media-sent": MEDIA,
  "media-received": MEDIA,
  "media-played": [
    ["call", text],
    ["kind", oneOf("source", "recovered", "concealed", "silence", "comfort")],
    ["seq", maybe(count)],
    ["by", maybe(text)],
    ...FRAMES,
  ],
  fec: [
    ["call", text],
    ["scheme", text],
    ...each("payloadBytes", "sealedBytes", "repairPacketsSent", "repairPacketsReceived", "givenBack", "holdMs"),
  ],
  tier: [
    ["call", text],
    ["tier", oneOf("good", "degraded", "catastrophic")],
    ["coding", text],
    ["scheme", text],
    ...each("payloadBytes", "sealedBytes"),
    ["reason", text],
  ],
  stats: [
    ["call", text],
    ...each("packetsReceived", "packetsLost", "jitter", "jitterBufferDelay", "jitterBufferEmittedCount"),
    ["roundTripTime", maybe(number)],
  ],
  "session-stats": [["session", whole], ...each("currentRoundTripTime", "packetsSent", "packetsReceived", "packetsLost")],
  unsent: [
    ["error", text],
    ["count", count],
  ],
  network: [
    ...each("sentPackets", "sentBytes", "receivedPackets", "receivedBytes"),
    ["stunSent", maybe(number)],
    ["stunReceived", maybe(number)],
  ],
  relayed: [
    ["call", text],
    ["from", whole],
    ["to", whole],
  ],
  undelivered: [
    ["reason", oneOf("absent")],
    ["count", count],
  ],
  interfaces: [
    ["interfaces", (value) => Array.isArray(value) && value.every(networkInterface)],
    ["default", maybe(text)],
  ],
  held: each("sessions", "calls", "supervisors"),
  stall: each("micros", "cpuMicros"),
  note: [["text", text]],
  federation: [
    ["peer", text],
    ["state", oneOf("connecting", "up", "down")],
    ["session", maybe(whole)],
    ["reason", maybe(text)],
  ],
  "relay-path": [["peer", text], ...each("asked", "lost"), ["rttMs", maybe(number)], ["jitterMs", maybe(number)]],
  drain: [["state", oneOf("begun", "done", "overdue")], ...each("sessions", "calls"), ["withinMs", maybe(number)]],
};
const SHAPES: ReadonlyMap<string, Shape> = new Map(Object.entries(EACH));

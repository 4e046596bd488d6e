/**
 * What a trigger may match: the scalar fields of every record of the event log and the values they take. The compiler holds
 * this table against impl/base/record.ts: a record, field or value missing here, or too many, does not compile.
 */
import type { LogRecord } from "../impl/base/record.ts";

type Scalar = string | number | boolean;
type EventName = LogRecord["ev"];
type RecordOf<E extends EventName> = Extract<LogRecord, { readonly ev: E }>;
type Plain<Value> = Exclude<Value, undefined>;
type ScalarKeys<R> = { [K in keyof R]-?: Plain<R[K]> extends Scalar ? K : never }[keyof R];

/** The kind of value, or a closed set of words as the keys of an object, so that none can be forgotten. */
type Values<Value> = [Value] extends [number]
  ? "number"
  : [Value] extends [boolean]
    ? "boolean"
    : string extends Value
      ? "text"
      : [Value] extends [string]
        ? { readonly [Word in Value]: true }
        : never;

type Table = {
  readonly [E in EventName]: {
    readonly [K in Exclude<ScalarKeys<RecordOf<E>>, "t" | "who" | "ev">]: Values<Plain<RecordOf<E>[K]>>;
  };
};

const refusals = {
  malformed: true,
  oversized: true,
  "unknown-type": true,
  unexpected: true,
  unauthenticated: true,
  "forged-signature": true,
  unauthentic: true,
  replayed: true,
  "unknown-call": true,
  "stale-generation": true,
  duplicate: true,
  limit: true,
} as const;

const TABLE: Table = {
  run: {
    schema: { "midcall/log@1": true },
    scenario: "text",
    lab: { sim: true, netns: true, docker: true, process: true },
    seed: "text",
    codec: { real: true, sized: true },
    crypto: { real: true, null: true },
    jitterBuffer: { neteq: true, ema: true },
  },
  federation: {
    peer: "text",
    state: { connecting: true, up: true, down: true },
    session: "number",
    attempt: "number",
    delayMs: "number",
    reason: "text",
  },
  "relay-path": { peer: "text", asked: "number", lost: "number", rttMs: "number", jitterMs: "number" },
  drain: { state: { begun: true, done: true, overdue: true }, sessions: "number", calls: "number", withinMs: "number" },
  end: { reason: { finished: true, interrupted: true, crashed: true }, detail: "text" },
  process: { state: { started: true, killed: true, paused: true, resumed: true, exited: true }, detail: "text" },
  fault: {
    fault: "number",
    state: { applied: true, healed: true },
    queuedUntil: "number",
    kind: "text",
    target: "text",
    label: "text",
  },
  action: {
    action: "number",
    does: { register: true, deregister: true, "hang-up": true },
    relay: "text",
    address: "text",
  },
  drop: {
    where: "text",
    cause: {
      loss: true,
      queue: true,
      mtu: true,
      corrupt: true,
      "nat-filtering": true,
      blocked: true,
      "nat-no-mapping": true,
      "nat-exhausted": true,
      "link-down": true,
      "no-route": true,
      "process-down": true,
      "port-closed": true,
      congestion: true,
      overtaken: true,
    },
    bytes: "number",
    fault: "number",
  },
  touched: { fault: "number", what: "text", packets: "number" },
  session: {
    session: "number",
    state: { connecting: true, accepted: true, connected: true, silent: true, heard: true, "path-changed": true, closed: true },
    remote: "text",
    rttMs: "number",
    reason: "text",
  },
  signal: {
    dir: { sent: true, received: true },
    type: "text",
    session: "number",
    call: "text",
    ok: "boolean",
    present: "boolean",
  },
  refused: { reason: refusals, what: "text", count: "number" },
  registration: {
    state: { idle: true, connecting: true, registered: true, reconnecting: true, switching: true, refused: true },
    relay: "text",
    attempt: "number",
    delayMs: "number",
    supervisors: "number",
    reason: "text",
  },
  call: {
    call: "text",
    state: { offering: true, ringing: true, answered: true, active: true, resuming: true, resumed: true, ended: true },
    peer: "text",
    mode: { AcceptTrusted: true, AcceptGeneric: true, Reject: true },
    reason: "text",
  },
  path: {
    call: "text",
    path: { relay: true, direct: true },
    candidate: { host: true, mapped: true, reflexive: true, relay: true },
  },
  "candidate-pair": {
    call: "text",
    session: "number",
    remote: "text",
    candidate: { host: true, mapped: true, reflexive: true },
    state: { "in-progress": true, succeeded: true, failed: true, closed: true, migrated: true },
    reason: "text",
  },
  generation: {
    call: "text",
    action: { sent: true, delivered: true, applied: true, refused: true },
    generation: "number",
    last: "number",
  },
  "media-sent": { call: "text", key: "text", seq: "number", units: "number", n: "number", at: "number" },
  "media-received": { call: "text", key: "text", seq: "number", n: "number", at: "number" },
  "media-played": {
    call: "text",
    kind: { source: true, recovered: true, concealed: true, silence: true, comfort: true },
    seq: "number",
    by: { red: true, xor: true, rs: true, raptorq: true, rlc: true },
    n: "number",
    at: "number",
  },
  fec: {
    call: "text",
    scheme: "text",
    payloadBytes: "number",
    sealedBytes: "number",
    repairPacketsSent: "number",
    repairPacketsReceived: "number",
    givenBack: "number",
    holdMs: "number",
  },
  tier: {
    call: "text",
    tier: { good: true, degraded: true, catastrophic: true },
    coding: "text",
    scheme: "text",
    payloadBytes: "number",
    sealedBytes: "number",
    sealedPackets: "number",
    reason: "text",
  },
  stats: {
    call: "text",
    packetsReceived: "number",
    packetsLost: "number",
    packetsDiscarded: "number",
    jitter: "number",
    jitterBufferDelay: "number",
    jitterBufferTargetDelay: "number",
    jitterBufferEmittedCount: "number",
    totalSamplesReceived: "number",
    concealedSamples: "number",
    silentConcealedSamples: "number",
    concealmentEvents: "number",
    insertedSamplesForDeceleration: "number",
    removedSamplesForAcceleration: "number",
    fecPacketsReceived: "number",
    fecPacketsDiscarded: "number",
    lateDiscarded: "number",
    generatedNoiseSamples: "number",
    interruptionCount: "number",
    totalInterruptionDurationMs: "number",
    roundTripTime: "number",
  },
  "session-stats": {
    session: "number",
    currentRoundTripTime: "number",
    packetsSent: "number",
    packetsReceived: "number",
    packetsLost: "number",
  },
  unsent: { error: "text", count: "number" },
  network: {
    sentPackets: "number",
    sentBytes: "number",
    receivedPackets: "number",
    receivedBytes: "number",
    stunSent: "number",
    stunReceived: "number",
  },
  relayed: { call: "text", from: "number", to: "number" },
  undelivered: { reason: { absent: true }, count: "number" },
  interfaces: { default: "text" },
  stall: { micros: "number", cpuMicros: "number" },
  held: { sessions: "number", calls: "number", supervisors: "number" },
  note: { text: "text" },
};

/** What a field may hold: one of these words, or any value of the kind. */
export type FieldValues = readonly string[] | "text" | "number" | "boolean";

/** Event name -> field -> what it may hold; without `t`, `who` and `ev`, which every record has. */
export const LOG_FIELDS: ReadonlyMap<string, ReadonlyMap<string, FieldValues>> = new Map(
  Object.entries(TABLE).map(([event, fields]) => [
    event,
    new Map(
      Object.entries(fields).map(([field, values]): [string, FieldValues] => [
        field,
        typeof values === "string" ? (values as FieldValues) : Object.keys(values as object),
      ]),
    ),
  ]),
);

/** Reasons a `refused` record may give. */
export const REFUSAL_REASONS: readonly string[] = Object.keys(refusals);

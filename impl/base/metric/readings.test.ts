import { expect, test } from "vitest";
import type { LogRecord, Saying } from "../record.ts";
import type { MetricName } from "./catalogue.ts";
import { readMetrics } from "./readings.ts";

const at = (seconds: number, who: string, saying: Saying): LogRecord => ({ t: seconds * 1e6, who, ...saying });

/** What `records` come to: sums of counters, last values of gauges, all values of histograms, by `metric{words}`. */
function after(...records: readonly LogRecord[]): (metric: MetricName, ...words: readonly string[]) => readonly number[] {
  const told = new Map<string, number[]>();
  const read = readMetrics(({ metric, labels, value }) => {
    const name = [metric, ...Object.values(labels)].join(" ");
    told.set(name, [...(told.get(name) ?? []), value]);
  });
  for (const record of records) read(record);
  return (metric, ...words) => told.get([metric, ...words].join(" ")) ?? [];
}
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const network = (n: number): Saying => ({
  ev: "network",
  sentPackets: n,
  sentBytes: 10 * n,
  receivedPackets: 0,
  receivedBytes: 0,
});
const registered = (session: number): Saying[] => [
  { ev: "session", session, state: "connected", rttMs: 50 },
  { ev: "signal", dir: "received", type: "Register", session },
  { ev: "signal", dir: "sent", type: "RegisterAck", session },
];

test("totals of a process become growth, and a process that starts again goes on from what it had", () => {
  const told = after(at(1, "a", network(5)), at(2, "a", network(7)), at(3, "a", network(3)), at(4, "a", network(4)));
  expect(told("midcall_udp_packets_total", "a", "sent")).toEqual([5, 2, 3, 1]);
  expect(sum(told("midcall_udp_bytes_total", "a", "sent"))).toBe(110);
});

test("refusals left out of the log are counted, and stray datagrams are counted apart from malformed messages", () => {
  const told = after(
    at(1, "r", { ev: "refused", reason: "malformed", what: "signalling message", count: 1 }),
    at(2, "r", { ev: "refused", reason: "malformed", what: "UDP datagrams that are no packet of ours", count: 100 }),
    at(3, "r", { ev: "refused", reason: "malformed", what: "signalling message", count: 32 }),
    at(4, "r", { ev: "refused", reason: "malformed", what: "UDP datagrams that are no packet of ours", count: 101 }),
  );
  expect(told("midcall_refused_total", "r", "malformed")).toEqual([1, 100, 31, 1]);
});

test("packets that could not be sent are counted by error, as growth of totals", () => {
  const told = after(
    at(1, "a", { ev: "unsent", error: "ENOBUFS", count: 3 }),
    at(2, "a", { ev: "unsent", error: "EPERM", count: 1 }),
    at(3, "a", { ev: "unsent", error: "ENOBUFS", count: 10 }),
  );
  expect(told("midcall_udp_unsent_packets_total", "a", "ENOBUFS")).toEqual([3, 7]);
  expect(told("midcall_udp_unsent_packets_total", "a", "EPERM")).toEqual([1]);
});

test("a relay's registrations and calls follow its sessions, and a kill takes them all", () => {
  const said = [...registered(-1), ...registered(-2)].map((saying) => at(1, "r", saying));
  const setUp = (session: number): LogRecord => at(2, "r", { ev: "signal", dir: "sent", type: "CallSetup", session, call: "c" });
  const up = after(...said, setUp(-1), setUp(-2));
  expect(up("midcall_relay_registrations", "r").at(-1)).toBe(2);
  expect(up("midcall_relay_calls", "r").at(-1)).toBe(1);
  expect(sum(up("midcall_relay_calls_total", "r"))).toBe(1);

  const closed = (session: number): LogRecord => at(3, "r", { ev: "session", session, state: "closed", reason: "peer" });
  expect(after(...said, setUp(-1), setUp(-2), closed(-1))("midcall_relay_calls", "r").at(-1)).toBe(1);
  const gone = after(...said, setUp(-1), setUp(-2), closed(-1), closed(-2));
  expect(gone("midcall_relay_calls", "r").at(-1)).toBe(0);
  expect(gone("midcall_relay_registrations", "r").at(-1)).toBe(0);
  expect(gone("midcall_sessions", "r").at(-1)).toBe(0);

  const killed = after(...said, setUp(-1), at(4, "r", { ev: "process", state: "killed" }));
  for (const metric of ["midcall_relay_calls", "midcall_relay_registrations", "midcall_sessions", "midcall_process_up"] as const)
    expect(killed(metric, "r").at(-1), metric).toBe(0);
});

test("a registration refused is none", () => {
  const told = after(
    at(1, "r", { ev: "refused", reason: "unauthenticated", what: "Register without the relay's token", count: 1 }),
    at(1, "r", { ev: "signal", dir: "sent", type: "RegisterAck", session: -1 }),
    at(2, "r", { ev: "signal", dir: "sent", type: "RegisterAck", session: -2 }),
  );
  expect(told("midcall_relay_registrations", "r")).toEqual([0, 1]);
});

test("an outage lasts from the loss of a registration to the next; one the user gave up is none", () => {
  const stand = (t: number, state: "registered" | "reconnecting" | "idle" | "connecting", delayMs = 0): LogRecord =>
    at(t, "a", { ev: "registration", state, supervisors: state === "reconnecting" ? 1 : 0, delayMs });
  const told = after(
    stand(1, "connecting"),
    stand(2, "registered"),
    stand(5, "reconnecting", 250),
    stand(6, "reconnecting"),
    stand(7.5, "registered"),
    stand(9, "idle"),
    stand(20, "connecting"),
    stand(21, "registered"),
  );
  expect(told("midcall_client_outage_seconds", "a")).toEqual([2.5]);
  expect(sum(told("midcall_client_reconnects_total", "a"))).toBe(2);
  expect(sum(told("midcall_client_registration_attempts_total", "a"))).toBe(3);
  expect(told("midcall_client_registration_state", "a", "registered").at(-1)).toBe(1);
  expect(told("midcall_client_registration_state", "a", "idle").at(-1)).toBe(0);
});

test("gaps: concealed, silent and dry time count from the first source frame to the end of the call, comfort noise ends one", () => {
  const play = (t: number, kind: "source" | "concealed" | "silence" | "comfort", n: number): LogRecord =>
    at(t + n * 0.02, "a", { ev: "media-played", call: "c", kind, n, at: t * 1e6, step: 20_000 });
  const told = after(
    play(1, "silence", 10), // before anybody spoke
    play(1.2, "source", 5),
    play(1.3, "concealed", 2),
    play(1.34, "silence", 3),
    play(1.4, "comfort", 5),
    play(1.6, "source", 5), // 100 ms in which nothing was played
    at(2, "a", { ev: "call", call: "c", state: "ended", peer: "b" }),
    play(2, "silence", 9), // after the call
  );
  expect(told("midcall_client_gap_seconds", "a").map((seconds) => Math.round(seconds * 1e3))).toEqual([100, 100, 300]);
});

test("mouth to ear: from the peer's packet to its play and 26.5 ms, also when the sending is logged later", () => {
  const frames = (seconds: number): { n: number; at: number; step: number } => ({ n: 2, at: seconds * 1e6, step: 20_000 });
  const sent = at(2, "b", { ev: "media-sent", call: "c", key: "k", seq: 7, ...frames(1) });
  const played = at(1.2, "a", { ev: "media-played", call: "c", kind: "source", seq: 7, ...frames(1.1) });
  for (const order of [
    [sent, played],
    [played, sent],
  ])
    expect(after(...order)("midcall_mouth_to_ear_seconds", "a").map((one) => one.toFixed(4))).toEqual(["0.1265", "0.1265"]);
  const own = at(1, "a", { ev: "media-sent", call: "c", key: "k", seq: 7, ...frames(1) });
  expect(after(own, played)("midcall_mouth_to_ear_seconds", "a")).toEqual([]);
});

test("a fault is known by number and description from its application on", () => {
  const fault = (state: "applied" | "healed"): Saying => ({
    ev: "fault",
    fault: 2,
    state,
    kind: "kill",
    target: "r1",
    label: "kill r1",
  });
  const told = after(
    at(1, "lab", fault("applied")),
    at(2, "lab", fault("healed")),
    at(2, "net", { ev: "touched", fault: 2, what: "loss", packets: 4 }),
  );
  expect(told("midcall_fault_active", "2: kill r1")).toEqual([1, 0]);
  expect(told("midcall_faults_applied_total", "2: kill r1")).toEqual([1]);
  expect(told("midcall_fault_touched_packets_total", "2: kill r1")).toEqual([4]);
});

test("round trips of a client go by path: sessions it raced to the peer are direct, until they are closed", () => {
  const stats = (session: number, currentRoundTripTime: number): Saying => ({
    ...{ ev: "session-stats", session, currentRoundTripTime },
    ...{ packetsSent: 1, packetsReceived: 1, packetsLost: 0 },
  });
  const told = after(
    at(1, "a", { ev: "candidate-pair", call: "c", session: 2, remote: "192.0.2.1:1", candidate: "host", state: "in-progress" }),
    at(2, "a", stats(1, 0.05)),
    at(2, "a", stats(2, 0.02)),
    at(3, "a", { ev: "session", session: 2, state: "closed", reason: "local" }),
    at(4, "a", stats(2, 0.07)),
  );
  expect(told("midcall_client_session_rtt_seconds", "a", "relay")).toEqual([0.05, 0.07]);
  expect(told("midcall_client_session_rtt_seconds", "a", "direct")).toEqual([0.02]);
});

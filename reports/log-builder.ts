/** Hand-made logs and scenarios for the tests of this room: small, plausible, and wrong in exactly the way a test asks for. */
import { address } from "../impl/base/address.ts";
import { Stream } from "../impl/base/random.ts";
import type { CallRecord, LogRecord, MediaPlayedRecord, RegistrationRecord, Saying } from "../impl/base/record.ts";
import type { CallModel, Expectation, Fault, LinkModel, Scenario } from "../scenarios/expanded.ts";
import { CLEAN } from "../scenarios/impairment/link.ts";
import { FRAME_MICROS } from "./playout.ts";

/** Microseconds from seconds. */
export const s = (seconds: number): number => Math.round(seconds * 1_000_000);

export const CALL_ID = "c0ffee00c0ffee00c0ffee00c0ffee00";

/** What the loudspeaker plays instead of source audio from `from` to `to` (instants of play, microseconds). */
export type Spell = { readonly from: number; readonly to: number; readonly kind: MediaPlayedRecord["kind"] };

export type Talk = {
  readonly to: string;
  readonly peer: string;
  readonly from: number;
  readonly until: number;
  readonly call?: string;
  readonly key?: string;
  /** First packet number. */
  readonly seq?: number;
  /** From the frame's capture to its play, microseconds. */
  readonly delay?: number;
  readonly spells?: readonly Spell[];
  /** Instants of play from..to in which nothing at all is played. */
  readonly dead?: readonly { readonly from: number; readonly to: number }[];
};

export type LogBuilder = {
  say(t: number, who: string, saying: Saying): LogBuilder;
  call(t: number, who: string, state: CallRecord["state"], more?: Partial<CallRecord>): LogBuilder;
  registration(t: number, who: string, state: RegistrationRecord["state"], more?: Partial<RegistrationRecord>): LogBuilder;
  fault(fault: number, label: string, applied: number, healed?: number): LogBuilder;
  /** One direction of media: sent by the peer, received and played by `to`, as runs. */
  talk(talk: Talk): LogBuilder;
  /** The records in order of time. */
  records(): LogRecord[];
};

export function aLog(): LogBuilder {
  const records: LogRecord[] = [];
  const builder: LogBuilder = {
    say(t, who, saying) {
      records.push({ t, who, ...saying });
      return builder;
    },
    call: (t, who, state, more) => builder.say(t, who, { ev: "call", call: CALL_ID, state, peer: "someone", ...more }),
    registration: (t, who, state, more) => builder.say(t, who, { ev: "registration", state, supervisors: 0, ...more }),
    fault(fault, label, applied, healed) {
      const [kind = "", target = ""] = label.split(" ");
      builder.say(applied, "lab", { ev: "fault", fault, state: "applied", kind, target, label });
      if (healed !== undefined) builder.say(healed, "lab", { ev: "fault", fault, state: "healed", kind, target, label });
      return builder;
    },
    talk(talk) {
      speak(builder, talk);
      return builder;
    },
    records: () =>
      records
        .map((record, i) => ({ record, i }))
        .sort((a, b) => a.record.t - b.record.t || a.i - b.i)
        .map((one) => one.record),
  };
  return builder;
}

function speak(builder: LogBuilder, talk: Talk): void {
  const { to, peer, from, until, call = CALL_ID, key = `${peer}-key`, seq = 0, delay = 80_000, spells = [], dead = [] } = talk;
  type Run = { kind: MediaPlayedRecord["kind"]; at: number; n: number; seq: number };
  let run: Run | undefined;
  const flush = (): void => {
    if (run === undefined) return;
    const { kind, at, n } = run;
    const numbered = kind === "source" || kind === "recovered";
    const frames = { n, at, step: FRAME_MICROS };
    const t = at + (n - 1) * FRAME_MICROS;
    if (numbered) builder.say(t, to, { ev: "media-received", call, key, seq: run.seq, ...frames, at: at - 40_000 });
    builder.say(t, to, { ev: "media-played", call, kind, ...(numbered ? { seq: run.seq } : {}), ...frames });
    run = undefined;
  };
  const ahead = spells.toSorted((a, b) => a.from - b.from);
  let next = 0;
  let number = seq;
  let sent: { readonly at: number; readonly seq: number; n: number } | undefined;
  const tellSent = (): void => {
    if (sent === undefined) return;
    const { n, at } = sent;
    builder.say(at + n * FRAME_MICROS, peer, { ev: "media-sent", call, key, seq: sent.seq, n, at, step: FRAME_MICROS });
    sent = undefined;
  };
  for (let at = from; at < until; at += FRAME_MICROS, number++) {
    while ((ahead[next]?.to ?? until) <= at) next++;
    const spell = ahead[next];
    const kind = spell !== undefined && at >= spell.from ? spell.kind : "source";
    // A peer that says nothing sends and numbers nothing.
    if (kind === "comfort") {
      tellSent();
      number--;
    } else if (sent !== undefined && sent.n < 50) sent.n++;
    else {
      tellSent();
      sent = { at: at - delay, seq: number, n: 1 };
    }
    if (dead.some((one) => at >= one.from && at < one.to)) {
      flush();
      continue;
    }
    if (run === undefined || run.kind !== kind || run.n === 50) {
      flush();
      run = { kind, at, n: 0, seq: number };
    }
    run.n++;
  }
  flush();
  tellSent();
}

const PERFECT: LinkModel = { ...CLEAN, delay: 25_000 };

/** alice calls bob through r1. */
export function aScenario(more: Partial<Scenario> = {}): Scenario {
  const face = (nat: string | null): Scenario["parties"][string]["interfaces"] => ({
    wlan0: { up: PERFECT, down: PERFECT, nat },
  });
  return {
    schema: "midcall/scenario@1",
    name: "relay-restart",
    asks: "Does a call outlive a restart of its relay?",
    tags: [],
    labs: ["sim"],
    duration: s(20),
    jitterBuffer: "neteq",
    nats: {},
    parties: {
      r1: { role: "relay", interfaces: face(null), driftPpm: 0 },
      alice: { role: "client", interfaces: face("home"), driftPpm: 0 },
      bob: { role: "client", interfaces: face(null), driftPpm: 0 },
    },
    calls: [aCall()],
    faults: [],
    expect: [],
    twin: null,
    ...more,
  };
}

export const aCall = (more: Partial<CallModel> = {}): CallModel => ({
  caller: "alice",
  callee: "bob",
  relay: "r1",
  at: s(1),
  answer: "AcceptTrusted",
  answerAfter: s(0.5),
  hangUpAt: null,
  callerSays: "speech-a",
  calleeSays: "speech-b",
  ...more,
});

/** The relay dies at 5 s and is back at 8 s. */
export const KILL: Fault = { kind: "kill", target: "r1", when: { at: s(5) }, for: s(3) };

/** A call from 1.5 s to the end in which nothing goes wrong; `media` alters what is played at each side. */
export function aCallLog(
  scenario: Scenario = aScenario(),
  media: { readonly alice?: Partial<Talk> | null; readonly bob?: Partial<Talk> | null } = {},
): LogBuilder {
  const end = scenario.duration;
  const log = aLog();
  log.say(0, "lab", {
    ev: "run",
    schema: "midcall/log@1",
    scenario: scenario.name,
    lab: "sim",
    seed: "0x2a",
    codec: "sized",
    crypto: "null",
    jitterBuffer: "neteq",
  });
  for (const who of ["r1", "alice", "bob"]) log.say(0, who, { ev: "process", state: "started" });
  for (const who of ["alice", "bob"]) {
    log.registration(s(0.01), who, "connecting", { attempt: 1, delayMs: 0, supervisors: 1 });
    log.registration(s(0.2), who, "registered");
  }
  log.call(s(1), "alice", "offering").call(s(1.05), "bob", "ringing");
  log.call(s(1.55), "bob", "answered").call(s(1.6), "alice", "answered");
  for (const [who, peer] of [
    ["alice", "bob"],
    ["bob", "alice"],
  ] as const) {
    log.call(s(1.65), who, "active").say(s(1.65), who, { ev: "path", call: CALL_ID, path: "relay", candidate: "relay" });
    const own = media[who];
    if (own !== null) log.talk({ to: who, peer, from: s(1.8), until: end, ...own });
    log.call(end, who, "ended", { reason: "stopped" }).registration(end, who, "idle");
    log.say(end, who, { ev: "network", sentPackets: 1_000, sentBytes: 90_000, receivedPackets: 990, receivedBytes: 89_000 });
  }
  for (const who of ["alice", "bob", "r1"]) log.say(end + s(1), who, { ev: "held", sessions: 0, calls: 0, supervisors: 0 });
  return log.say(end + s(1), "lab", { ev: "end", reason: "finished" });
}

/** Expectations of a relay restart. */
export const RESTART_EXPECT: readonly Expectation[] = [
  { oracle: "call-connects", within: s(2) },
  { oracle: "media-recovers", within: 500_000, from: "heal" },
  { oracle: "same-call" },
  { oracle: "signalling-recovers", within: s(1) },
  { oracle: "longest-gap", max: s(4) },
];

/** A relay restart as it looks in a log: alice hears again at 8.214 s, bob at 8.198 s. */
export function aRelayRestart(scenario: Scenario = aScenario({ faults: [KILL], expect: RESTART_EXPECT })): LogBuilder {
  const resumed = { alice: s(8.22), bob: s(8.2) };
  const lost = (to: number): Spell[] => [
    { from: s(5.1), to: s(5.3), kind: "concealed" },
    { from: s(5.3), to, kind: "silence" },
  ];
  const log = aCallLog(scenario, { alice: { spells: lost(resumed.alice) }, bob: { spells: lost(resumed.bob) } });
  log.fault(0, "kill r1", s(5), s(8));
  log.say(s(5), "r1", { ev: "process", state: "killed" }).say(s(8), "r1", { ev: "process", state: "started" });
  for (let i = 0; i < 40; i++)
    log.say(s(5) + i * 75_000, "net", { ev: "drop", where: "r1", cause: "process-down", bytes: 90, fault: 0 });
  for (const who of ["alice", "bob"] as const) {
    log.registration(s(5.4), who, "reconnecting", { attempt: 1, delayMs: 0, supervisors: 1, reason: "silent" });
    log.registration(s(5.9), who, "reconnecting", { attempt: 2, delayMs: 1_000, supervisors: 1, reason: "refused" });
    log.registration(s(8), who, "reconnecting", { attempt: 2, delayMs: 0, supervisors: 1, reason: "relay answers" });
    for (const [session, from, to] of [
      [2, s(5.4), s(5.9)],
      [3, s(6.9), s(8)],
      [4, s(8), undefined],
    ] as const) {
      log.say(from, who, { ev: "session", session, state: "connecting", remote: address("198.51.100.1", 4433) });
      if (to !== undefined) log.say(to, who, { ev: "session", session, state: "closed", reason: "refused" });
    }
    log.registration(resumed[who] - 100_000, who, "registered");
    log.call(s(5.4), who, "resuming").call(resumed[who] - 90_000, who, "resumed");
    for (const [at, dir, type] of [
      [s(0.1), "sent", "Register"],
      [s(0.2), "received", "RegisterAck"],
      [s(1.65), "received", "CallSetup"],
      [s(8.05), "sent", "Register"],
      [resumed[who] - 100_000, "received", "RegisterAck"],
      [resumed[who] - 95_000, "sent", "CallResume"],
    ] as const)
      log.say(at, who, { ev: "signal", dir, type, session: 1, ...(type.startsWith("Call") ? { call: CALL_ID } : {}) });
  }
  return log;
}

/** Single concealed frames at random: what independent loss does to a call that works. Times of play, microseconds. */
export function randomLoss(share: number, from: number, to: number, name: string): Spell[] {
  const draws = new Stream(7, name);
  const spells: Spell[] = [];
  for (let at = from; at < to; at += FRAME_MICROS)
    if (draws.nextChance(share)) spells.push({ from: at, to: at + FRAME_MICROS, kind: "concealed" });
  return spells;
}

/**
 * The event log: everything that happens in a run is one of these records, one JSON object a line of `run.ndjson`.
 * Every number, page, metric and verdict is a pure function of it. Fields are written in the order given here.
 */
import type { Address } from "./address.ts";
import type { FecName } from "./fec-scheme.ts";
import type { JitterBufferName } from "./jitter-buffer-name.ts";
import type { Tier } from "./tier.ts";

/** What every record carries: `t` microseconds since the run began, `who` a party's name, `lab`, or `net`. */
type Stamp = { readonly t: number; readonly who: string };

/** First line of every log. */
export type RunRecord = {
  readonly ev: "run";
  readonly schema: "midcall/log@1";
  readonly scenario: string;
  readonly lab: "sim" | "netns" | "docker" | "process";
  readonly seed: string;
  readonly codec: "real" | "sized";
  readonly crypto: "real" | "null";
  /** Of every client. Absent in logs older than the choice: `ema`. */
  readonly jitterBuffer?: JitterBufferName;
};

/** Last line of every log that was closed on purpose; `open` counts what is still held (sessions, calls, timers) per party. */
export type EndRecord = { readonly ev: "end"; readonly reason: "finished" | "interrupted" | "crashed"; readonly detail?: string };

/** A process of the lab: `who` is the party. */
export type ProcessRecord = {
  readonly ev: "process";
  readonly state: "started" | "killed" | "paused" | "resumed" | "exited";
  readonly detail?: string;
};

/** The lab did (`applied`) or undid (`healed`) fault number `fault` of the scenario; `who` is `lab`. */
export type FaultRecord = {
  readonly ev: "fault";
  readonly fault: number;
  readonly state: "applied" | "healed";
  /** When it was healed with packets in its bottleneck: the instant by which they have left. Nothing behind them arrives earlier. */
  readonly queuedUntil?: number;
  readonly kind: string;
  readonly target: string;
  /** For a reader: `kill r1`, `loss 30 % alice up`. */
  readonly label: string;
};

/** The user of client `who` did something: action number `action` of the scenario. `relay` and `address`: that it is to be registered with. */
export type ActionRecord = {
  readonly ev: "action";
  readonly action: number;
  readonly does: "register" | "deregister" | "hang-up";
  readonly relay?: string;
  readonly address?: Address;
};

/** One packet that did not arrive; `who` is `net`. `fault` names the fault that caused it, when one did. */
export type DropRecord = {
  readonly ev: "drop";
  /** The link or box: `alice/wlan0/up`, `nat home`, `r1`. */
  readonly where: string;
  readonly cause:
    | "loss"
    | "queue"
    /** Larger than the link carries. */
    | "mtu"
    /** Altered on its way: what it was for refuses it. */
    | "corrupt"
    | "nat-filtering"
    | "nat-no-mapping"
    /** The NAT has no external port left for it. */
    | "nat-exhausted"
    /** A middlebox refuses its kind: UDP, or QUIC alone. */
    | "blocked"
    | "link-down"
    | "no-route"
    | "process-down"
    | "port-closed"
    /** Never sent: voice that waited for the congestion window until newer voice took its place; `where` is the sender's `/quic`. */
    | "congestion"
    /** Arrived behind so many later packets that QUIC has to take it for a duplicate (RFC 9000 section 12.3); `where` is the receiver's `/quic/down`. */
    | "overtaken";
  readonly bytes: number;
  readonly fault?: number;
};

/** A fault touched traffic without dropping it (delayed, duplicated, reordered, readdressed, held by a pause); evidence that it was real. */
export type TouchedRecord = { readonly ev: "touched"; readonly fault: number; readonly what: string; readonly packets: number };

/** A QUIC session seen by its owner. `session` is the owner's own number for it. */
export type SessionRecord = {
  readonly ev: "session";
  readonly session: number;
  readonly state: "connecting" | "accepted" | "connected" | "silent" | "heard" | "path-changed" | "closed";
  readonly remote?: Address;
  readonly rttMs?: number;
  readonly reason?: string;
};

/** A signalling message put on or taken from a session. */
export type SignalRecord = {
  readonly ev: "signal";
  readonly dir: "sent" | "received";
  readonly type: string;
  readonly session: number;
  readonly call?: string;
  /** Addresses of a party of the call that the message tells the other one; absent when it tells none. */
  readonly addresses?: readonly Address[];
  /** Of an acknowledgement that says so: whether what it answers was accepted. */
  readonly ok?: boolean;
  /** Of a CallResumed: whether the call's other party is said to be there too. Logs of before it do not have it. */
  readonly present?: boolean;
};

/** Input refused at the trust boundary; `count` is how many of this reason so far (all are counted, not all are written). */
export type RefusedRecord = {
  readonly ev: "refused";
  readonly reason: RefusalReason;
  readonly what: string;
  readonly count: number;
};

/** Why an input was refused. */
export type RefusalReason =
  | "malformed" // not parseable as what it claims to be
  | "oversized" // longer than its limit
  | "unknown-type" // a well-formed message of a type this party does not know
  | "unexpected" // a known message that makes no sense in this state or from this sender
  | "unauthenticated" // needs a registration or a token that is missing
  | "forged-signature" // the signature does not match the claimed identity
  | "unauthentic" // the AEAD tag does not verify
  | "replayed" // packet number already seen or below the window
  | "unknown-call" // names a call or channel this party has no part in
  | "stale-generation" // CandidateUpdate not newer than the last one applied
  | "duplicate" // a message already acted upon
  | "limit"; // a configured bound is reached

/** Where a client stands with its relay; `switching`: well with another one than it is to be with. `supervisors` counts live reconnect supervisors: 0 or 1, more is a bug. */
export type RegistrationRecord = {
  readonly ev: "registration";
  readonly state: "idle" | "connecting" | "registered" | "reconnecting" | "switching" | "refused";
  readonly relay?: Address;
  readonly attempt?: number;
  /** Wait before the attempt. */
  readonly delayMs?: number;
  readonly supervisors: number;
  readonly reason?: string;
};

/** A call seen by one party. */
export type CallRecord = {
  readonly ev: "call";
  readonly call: string;
  readonly state: "offering" | "ringing" | "answered" | "active" | "resuming" | "resumed" | "ended";
  readonly peer: string;
  readonly mode?: "AcceptTrusted" | "AcceptGeneric" | "Reject";
  readonly reason?: string;
};

/** The path a party sends media on from now on. */
export type PathRecord = {
  readonly ev: "path";
  readonly call: string;
  readonly path: "relay" | "direct";
  readonly candidate: "host" | "mapped" | "reflexive" | "relay";
};

/**
 * An attempt at a direct session with the call's other party, or what becomes of one, as the party sees it. States as in W3C webrtc-stats
 * (`in-progress`, `succeeded`, `failed`), then `closed`; `migrated`: the peer's address changed under it.
 */
export type CandidatePairRecord = {
  readonly ev: "candidate-pair";
  readonly call: string;
  /** Negative: the peer dialled. */
  readonly session: number;
  readonly remote: Address;
  readonly candidate: "host" | "mapped" | "reflexive";
  readonly state: "in-progress" | "succeeded" | "failed" | "closed" | "migrated";
  readonly reason?: string;
};

/** Candidate generations: sent by this party, delivered to it, and then applied or refused by it. */
export type GenerationRecord = {
  readonly ev: "generation";
  readonly call: string;
  readonly action: "sent" | "delivered" | "applied" | "refused";
  readonly generation: number;
  readonly last: number;
};

/**
 * Frames in a row. `at` is the instant of the first; `step` is the distance to each next one, one number when they are all
 * the same (`n - 1` numbers otherwise).
 */
type Frames = { readonly n: number; readonly at: number; readonly step: number | readonly number[] };

/** Packets sealed and sent: packet numbers `seq .. seq+n-1` under `key`; `at` is when each frame had been captured in full. */
export type MediaSentRecord = {
  readonly ev: "media-sent";
  readonly call: string;
  readonly key: string;
  readonly seq: number;
  /** Units of 20 ms in each; 1 when left out. */
  readonly units?: number;
} & Frames;

/** Packets opened (authentic, not replayed): consecutive packet numbers under `key`, with their arrival times. */
export type MediaReceivedRecord = {
  readonly ev: "media-received";
  readonly call: string;
  readonly key: string;
  readonly seq: number;
} & Frames;

/**
 * Frames given to the loudspeaker. `source` and `recovered` carry the peer's audio and name the first packet number;
 * `concealed`, `silence` and `comfort` (noise for a source known to be silent) do not.
 */
export type MediaPlayedRecord = {
  readonly ev: "media-played";
  readonly call: string;
  readonly kind: "source" | "recovered" | "concealed" | "silence" | "comfort";
  readonly seq?: number;
  /** What gave `recovered` frames back; absent: the codec's own redundancy in the next packet. */
  readonly by?: FecName;
} & Frames;

/** Receiver statistics once a second, cumulative, W3C webrtc-stats inbound-rtp names and units (times in seconds, delays summed over samples). */
export type StatsRecord = {
  readonly ev: "stats";
  readonly call: string;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly packetsDiscarded: number;
  readonly jitter: number;
  readonly jitterBufferDelay: number;
  readonly jitterBufferTargetDelay: number;
  readonly jitterBufferEmittedCount: number;
  readonly totalSamplesReceived: number;
  readonly concealedSamples: number;
  readonly silentConcealedSamples: number;
  readonly concealmentEvents: number;
  readonly insertedSamplesForDeceleration: number;
  readonly removedSamplesForAcceleration: number;
  readonly fecPacketsReceived: number;
  /** Frames that redundancy gave back for nothing: there already, or too late (W3C name). Absent: 0. */
  readonly fecPacketsDiscarded?: number;
  /** Part of packetsDiscarded: came after their time was played. Absent: 0. */
  readonly lateDiscarded?: number;
  /** Comfort noise (libwebrtc's NetEqLifetimeStatistics). Part of totalSamplesReceived, not of concealedSamples. Absent: 0. */
  readonly generatedNoiseSamples?: number;
  /** Concealment of 150 ms or longer: ours, the W3C dictionary has none. */
  readonly interruptionCount: number;
  readonly totalInterruptionDurationMs: number;
  /** Of the newest report that answers one of ours: from party to party and back (W3C remote-inbound-rtp, seconds). Absent before any, and in calls without reports. */
  readonly roundTripTime?: number;
};

/**
 * One session of a client, once a second as long as packets come or go on it: W3C webrtc-stats candidate-pair names and units (seconds), packets cumulative.
 * `packetsLost`: those that the transport declared lost.
 */
export type SessionStatsRecord = {
  readonly ev: "session-stats";
  readonly session: number;
  /** Smoothed, as the transport goes by it. */
  readonly currentRoundTripTime: number;
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
};

/** Forward error correction of one party's call beside each `stats`, cumulative; absent from calls in which neither side uses any. */
export type FecRecord = {
  readonly ev: "fec";
  readonly call: string;
  /** What this party sends with, as `nameOfScheme` writes it. */
  readonly scheme: string;
  /** Octets the codec gave, and octets of the sealed packets they left in, repair included. */
  readonly payloadBytes: number;
  readonly sealedBytes: number;
  readonly repairPacketsSent: number;
  readonly repairPacketsReceived: number;
  /** Frames the peer's redundancy gave back, in time or not. */
  readonly givenBack: number;
  /** How much longer frames are held for it. */
  readonly holdMs: number;
};

/**
 * What a party speaks in from now on: at the call's beginning and end, and at each change. Absent from calls whose tier neither adapts nor is any but the
 * best. Octets as in `fec`, since the call began: the difference to the record before is what was sent in that one's tier.
 */
export type TierRecord = {
  readonly ev: "tier";
  readonly call: string;
  readonly tier: Tier;
  /** Codec, rate and packet length: `opus 6k 40 ms`. */
  readonly coding: string;
  /** Forward error correction, as `nameOfScheme` writes it. */
  readonly scheme: string;
  readonly payloadBytes: number;
  readonly sealedBytes: number;
  /** Sealed packets of every kind; logs of before it do not have it. */
  readonly sealedPackets?: number;
  readonly reason: string;
};

/** A relay passes media of a call that come on session `from` to session `to`, from here on; below FIRST_STAND_IN, or none of its own, for another relay's users. */
export type RelayedRecord = { readonly ev: "relayed"; readonly call: string; readonly from: number; readonly to: number };

/**
 * Media packets that a relay had nobody to pass on to, by why; `count` is how many so far. The first, every power of two, and all of them as soon as there is somebody again: a
 * party that never comes back is not told of fifty times a second.
 */
export type UndeliveredRecord = {
  readonly ev: "undelivered";
  /** `absent`: the call's other party has no session here, nor a relay that has it. */
  readonly reason: "absent";
  readonly count: number;
};

/** UDP traffic of one party, cumulative, once a second and at the end. */
export type NetworkRecord = {
  readonly ev: "network";
  readonly sentPackets: number;
  readonly sentBytes: number;
  readonly receivedPackets: number;
  readonly receivedBytes: number;
  /** Of them STUN messages outside of sessions: questions and answers, those for a sign of life included. Logs of before it do not have them. */
  readonly stunSent?: number;
  readonly stunReceived?: number;
};

/**
 * UDP packets that the system refused to send, by its error (errno(3); EAFNOSUPPORT: to an address of the other family); `count` is how many so far. At most once a second
 * an error, and only when there were more.
 */
export type UnsentRecord = { readonly ev: "unsent"; readonly error: string; readonly count: number };

/** A client was told of its host's network: interfaces that are up, IP addresses without port. At its start and after every change. */
export type InterfacesRecord = {
  readonly ev: "interfaces";
  readonly interfaces: readonly { readonly name: string; readonly addresses: readonly string[]; readonly isDefault: boolean }[];
  /** Name of the one that what has no nearer route leaves from; absent when nothing leaves. */
  readonly default?: string;
};

/** Where a relay stands with another one it federates with, by that one's name; `connecting` tells each attempt and its wait. */
export type FederationRecord = {
  readonly ev: "federation";
  readonly peer: string;
  readonly state: "connecting" | "up" | "down";
  /** With `up`: the session that is the link now. */
  readonly session?: number;
  readonly attempt?: number;
  readonly delayMs?: number;
  readonly reason?: string;
};

/**
 * How the way from relay `who` to relay `peer` is, every five seconds: questions asked and lost so far, round trip and jitter of round trips (absent before
 * any answer).
 */
export type RelayPathRecord = {
  readonly ev: "relay-path";
  readonly peer: string;
  readonly asked: number;
  readonly lost: number;
  readonly rttMs?: number;
  readonly jitterMs?: number;
};

/** A relay drains: asked to, with the time it has; over when no client was left (`done`) or the time was (`overdue`). It exits then. */
export type DrainRecord = {
  readonly ev: "drain";
  readonly state: "begun" | "done" | "overdue";
  /** Clients registered and calls there are now. */
  readonly sessions: number;
  readonly calls: number;
  readonly withinMs?: number;
};

/** What a party still holds when it was told to stop and did: all zero unless something leaks. */
export type HeldRecord = { readonly ev: "held"; readonly sessions: number; readonly calls: number; readonly supervisors: number };

/**
 * For `micros` up to `t` the thread of `who` (`net`: who carries the packets, `lab`: who does the faults) ran nothing that it meant to, on a real machine;
 * `cpuMicros` of them it computed, in the others it was paused or waited for a processor.
 */
export type StallRecord = { readonly ev: "stall"; readonly micros: number; readonly cpuMicros: number };

/** Anything else worth a line; never used for a measurement or a verdict. */
export type NoteRecord = { readonly ev: "note"; readonly text: string };

/** What a machine says; the driver stamps it with `t` and `who`. */
export type Saying =
  | RunRecord
  | EndRecord
  | ProcessRecord
  | FaultRecord
  | ActionRecord
  | FederationRecord
  | RelayPathRecord
  | DrainRecord
  | DropRecord
  | TouchedRecord
  | SessionRecord
  | SignalRecord
  | RefusedRecord
  | RegistrationRecord
  | CallRecord
  | PathRecord
  | CandidatePairRecord
  | GenerationRecord
  | MediaSentRecord
  | MediaReceivedRecord
  | MediaPlayedRecord
  | StatsRecord
  | SessionStatsRecord
  | FecRecord
  | TierRecord
  | NetworkRecord
  | UnsentRecord
  | RelayedRecord
  | UndeliveredRecord
  | InterfacesRecord
  | HeldRecord
  | StallRecord
  | NoteRecord;

/** One line of the log. */
export type LogRecord = Stamp & Saying;

/** The instant of each frame of a run of frames, in order. */
export function instantsOf(frames: {
  readonly n: number;
  readonly at: number;
  readonly step: number | readonly number[];
}): number[] {
  const out: number[] = [];
  let at = frames.at;
  for (let i = 0; i < frames.n; i++) {
    out.push(at);
    at += typeof frames.step === "number" ? frames.step : (frames.step[i] ?? 0);
  }
  return out;
}

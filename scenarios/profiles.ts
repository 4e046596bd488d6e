/**
 * Access links of the world by name: home broadband, Wi-Fi good and bad, LTE on the move, satellites, and the link
 * settings other call and QUIC test rigs use, so that results can be set beside theirs. Every number has its source in
 * `evidence`. Delays are one way over the access link; the path to a server adds nothing (see `datacentre`), so a client's
 * round trip to a relay is up.delay + down.delay.
 *
 * What the link model cannot say is approximated and marked so. An exponential delay of mean m above a floor becomes
 * "normal, sigma m, truncated at 2 m either side" around floor + 2 m: same floor and spread, m more on average.
 */
import type { LinkModel } from "./expanded.ts";
import { gilbert } from "./gilbert.ts";
import { CLEAN } from "./impairment/link.ts";
import { MTU_BYTES } from "./rate.ts";

/** A link profile. `evidence` says where each number comes from. */
export type LinkProfile = {
  readonly name: string;
  /** One sentence: what this link is in the world. */
  readonly is: string;
  readonly up: LinkModel;
  readonly down: LinkModel;
  readonly evidence: readonly string[];
};

const ms = (value: number): number => value * 1_000;
const mbit = (value: number): number => value * 1_000_000;
const packets = (bps: number, count: number): NonNullable<LinkModel["rate"]> => ({ bps, queueBytes: count * MTU_BYTES });
const queued = (bps: number, micros: number): NonNullable<LinkModel["rate"]> => ({ bps, queueBytes: (bps / 8_000_000) * micros });

/** `floor` plus an exponential delay of mean `mean`, approximated; all in milliseconds. */
const exponential = (floor: number, mean: number): Partial<LinkModel> => ({
  delay: ms(floor + 2 * mean),
  jitter: ms(2 * mean),
  jitterShape: "normal",
});

/** Packets of a 50 a second voice stream that are sent in `millis`. */
const voicePackets = (millis: number): number => Math.round(millis / 20);

/** A trace of one event each `period`: nothing happens, then `event`. */
const periodic = (periodMs: number, event: readonly number[]): readonly number[] => [
  ...Array.from({ length: voicePackets(periodMs) - event.length }, () => 0),
  ...event,
];

/** Packets held by a stall and then released together. */
const stall = (millis: number): readonly number[] => Array.from({ length: voicePackets(millis) }, (_, i) => ms(millis - 20 * i));

/** Packets that vanish in an outage. */
const outage = (millis: number): readonly number[] => Array.from({ length: voicePackets(millis) }, () => -1);

type Draft = Omit<LinkProfile, "up" | "down"> & {
  readonly both?: Partial<LinkModel>;
  readonly up?: Partial<LinkModel>;
  readonly down?: Partial<LinkModel>;
};

const RINGRTC = "signalapp/ringrtc call_sim/src/common.rs, NetworkProfile::get_config (netem on each client's egress: `up` only)";
const INTEROP = "quic-interop/quic-interop-runner testcases_quic.py";
const PATCHBAY = "n0-computer/patchbay src/lab.rs to_limits";
const GILBERT = "burst: simple Gilbert, r = 1/B, p = r L / (1 - L) (as netem gemodel)";

const DRAFTS: readonly Draft[] = [
  {
    name: "clean",
    is: "Does nothing to packets: for tests that want to see only their own fault.",
    evidence: ["all zero by definition"],
  },
  {
    name: "lan",
    is: "An office or home network with a cable.",
    both: { delay: 2_500, jitter: 2_500 },
    evidence: ["delay and jitter: uniform in 0..5 ms, no loss: ITU-T G.1050 severity A (core jitter 5 ms)"],
  },
  {
    name: "broadband",
    is: "A fixed line at home: cable or fibre, with the distance to a server in the same region.",
    up: { delay: ms(10), jitter: ms(2), jitterShape: "normal", rate: queued(mbit(20), 200_000) },
    down: { delay: ms(10), jitter: ms(2), jitterShape: "normal", rate: queued(mbit(100), 200_000) },
    evidence: [
      "chosen: 20 ms round trip, what a fixed line commonly sees to a server in its region; ±2 ms as patchbay's Wifi preset",
      "chosen: 20 Mbit/s up and 100 Mbit/s down, far above what a call needs, so that only faults and profiles that say so limit it; 200 ms of queue",
    ],
  },
  {
    name: "datacentre",
    is: "A server's own link: the distance to it is counted in the clients' links.",
    both: { rate: queued(mbit(1_000), 50_000) },
    evidence: [
      "chosen: no delay and no loss of its own, so that a client's round trip to a relay is the one its own link says",
      "chosen: 1 Gbit/s, 50 ms of queue",
    ],
  },
  {
    name: "wifi-ok",
    is: "Wi-Fi in the same room as its access point.",
    both: { ...exponential(5, 5), burst: gilbert(0.01, 1.5) },
    evidence: [
      `delay: 5 ms, ${PATCHBAY} (Wifi)`,
      "jitter: exponential of mean 5 ms, approximated. chosen",
      `${GILBERT}; chosen: L = 1 %, B = 1.5`,
    ],
  },
  {
    name: "wifi-bad",
    is: "Wi-Fi two walls away from its access point, shared with others.",
    both: { ...exponential(5, 20), burst: gilbert(0.05, 3), rate: queued(mbit(20), 400_000), trace: periodic(5_000, stall(100)) },
    evidence: [
      `rate: 20 Mbit/s with 400 ms of queue, ${PATCHBAY} (WifiBad); delay: 5 ms as wifi-ok`,
      "jitter: exponential of mean 20 ms, approximated; a 100 ms stall every 5 s of voice packets (trace). chosen",
      `${GILBERT}; L = 5 %, between the 80th and 90th percentile (3 to 8 %) of Google Duo calls; chosen: B = 3`,
    ],
  },
  {
    name: "lte-move",
    is: "A phone on LTE in a moving car or train, with hand-overs.",
    both: { delay: ms(25), jitter: ms(15), jitterShape: "normal", burst: gilbert(0.03, 5), trace: periodic(30_000, outage(250)) },
    evidence: [
      `delay: 25 ms, ${PATCHBAY} (Mobile4G); chosen: jitter 30 ms wide`,
      `${GILBERT}; chosen: L = 3 %, B = 5`,
      "chosen: a 250 ms outage every 30 s of voice packets (trace), a hand-over",
    ],
  },
  {
    name: "leo",
    is: "A satellite internet link in low orbit.",
    both: {
      delay: ms(40),
      jitter: ms(7),
      jitterShape: "normal",
      burst: gilbert(0.01, 4),
      trace: periodic(
        15_000,
        stall(100).map((late, i) => (i % 2 === 0 ? -1 : late)),
      ),
    },
    evidence: [
      `delay and jitter: 40 ms ±7 ms, ${PATCHBAY} (Satellite, low orbit)`,
      `${GILBERT}; chosen: L = 1 %, B = 4`,
      "trace: Starlink reassigns satellites every 15 s, up to half the packets lost at the hand-over; chosen: 100 ms long",
    ],
  },
  {
    name: "congested",
    is: "A shared link at its busiest hour.",
    both: { ...exponential(10, 50), burst: gilbert(0.1, 1.5) },
    evidence: [
      `${GILBERT}; L = 10 %, B = 1.5 packets (30 ms): the setting of WebRTC's neteq_quality_test`,
      "jitter: exponential of mean 50 ms, approximated; delay: 10 ms as broadband. chosen",
    ],
  },
  {
    name: "degraded",
    is: "A link at the edge of use: a fifth of all packets lost.",
    both: { ...exponential(10, 50), burst: gilbert(0.2, 4) },
    evidence: [
      `${GILBERT}; chosen: L = 20 %, B = 4`,
      "jitter: exponential of mean 50 ms, approximated; delay: 10 ms as broadband. chosen",
    ],
  },
  {
    name: "catastrophic",
    is: "A link that loses half of everything in long bursts.",
    both: { ...exponential(10, 100), burst: gilbert(0.5, 8) },
    evidence: [
      `${GILBERT}; L = 50 %: Microsoft claims speech above that for its Satin codec; chosen: B = 8`,
      "jitter: exponential of mean 100 ms, approximated; delay: 10 ms as broadband. chosen",
    ],
  },
  {
    name: "ringrtc-moderate",
    is: "RingRTC's call simulator, profile Moderate.",
    up: { delay: ms(100), jitter: ms(25), jitterShape: "normal", order: "free", loss: 0.05 },
    evidence: [
      `${RINGRTC}: delay 100, delay_variability 25, loss Bernoulli 5 %`,
      "jitterShape: approximated, theirs is netem's Pareto; order free as netem's",
    ],
  },
  {
    name: "ringrtc-international",
    is: "RingRTC's call simulator, profile International.",
    up: {
      delay: ms(250),
      jitter: ms(100),
      jitterShape: "normal",
      order: "free",
      burst: { p: 0.03, r: 0.25, lossGood: 0, lossBad: 1 },
      duplicate: 0.02,
      reorder: { share: 0.05, by: ms(20) },
      rate: packets(300_000, 250),
    },
    evidence: [
      `${RINGRTC}: delay 250, delay_variability 100, SimpleGilbert p 3 r 25 (10.7 % lost), duplication 2, rate 300, limit 250`,
      "jitterShape: approximated, theirs is netem's Pareto; queue: 250 packets of 1500 octets",
      "reorder: 5 %, approximated: theirs sends these at once, in clusters (correlation 50 %), ours holds them back by one frame",
    ],
  },
  {
    name: "ringrtc-spiky-calm",
    is: "RingRTC's call simulator, profile SpikyLoss, before and after the spike.",
    up: { delay: ms(50), jitter: ms(10), jitterShape: "uniform", order: "free" },
    evidence: [
      `${RINGRTC}: delay 50, delay_variability 10, no loss (from 2 s and again from 20 s)`,
      "jitter: approximated, theirs is correlated by 50 %",
    ],
  },
  {
    name: "ringrtc-spiky-loss",
    is: "RingRTC's call simulator, profile SpikyLoss, during the ten seconds of the spike.",
    up: {
      delay: ms(100),
      jitter: ms(20),
      jitterShape: "uniform",
      order: "free",
      burst: { p: 0.11, r: 0.25, lossGood: 0, lossBad: 1 },
    },
    evidence: [
      `${RINGRTC}: delay 100, delay_variability 20, SimpleGilbert p 11 r 25 (30.6 % lost), from 10 s to 20 s`,
      "jitter: approximated, theirs is correlated by 50 %",
    ],
  },
  {
    name: "ringrtc-bursty-loss",
    is: "RingRTC's call simulator, bursty loss: one packet in ten, in bursts of four on average.",
    up: { burst: { p: 0.03, r: 0.25, lossGood: 0, lossBad: 1 } },
    evidence: [
      "signalapp/ringrtc call_sim/src/common.rs, MLBS_DATA { loss: 10, mlbs: 4.0, r: 25, p: 3 }; the profile BurstyLoss it belonged to is commented out there",
      "chosen: this row of its 24",
    ],
  },
  {
    name: "ringrtc-limited-50",
    is: "RingRTC's call simulator, profile LimitedBandwidth(50).",
    up: { rate: packets(50_000, 16) },
    evidence: [`${RINGRTC}: rate 50, limit 16; queue: 16 packets of 1500 octets`],
  },
  {
    name: "quic-interop",
    is: "The link of most QUIC interop tests.",
    both: { delay: ms(15), rate: packets(mbit(10), 25) },
    evidence: [`${INTEROP}: simple-p2p --delay=15ms --bandwidth=10Mbps --queue=25 (packets, here of 1500 octets)`],
  },
  {
    name: "quic-longrtt",
    is: "QUIC interop test longrtt: a second and a half of round trip.",
    both: { delay: ms(750), rate: packets(mbit(10), 25) },
    evidence: [`${INTEROP}, TestCaseLongRTT: simple-p2p --delay=750ms --bandwidth=10Mbps --queue=25`],
  },
  {
    name: "quic-transferloss",
    is: "QUIC interop test transferloss: 2 % of packets lost.",
    both: { delay: ms(15), loss: 0.02, rate: packets(mbit(10), 25) },
    evidence: [
      `${INTEROP}, TestCaseTransferLoss: drop-rate 2 % each way`,
      "approximated: theirs never drops more than 3 in a row, which here happens once in six million packets",
    ],
  },
  {
    name: "quic-handshakeloss",
    is: "QUIC interop test handshakeloss: 30 % of packets lost.",
    both: { delay: ms(15), loss: 0.3, rate: packets(mbit(10), 25) },
    evidence: [
      `${INTEROP}, TestCaseHandshakeLoss: drop-rate 30 % each way`,
      "approximated: theirs never drops more than 3 in a row",
    ],
  },
  {
    name: "quic-amplificationlimit",
    is: "QUIC interop test amplificationlimit: the second to seventh packet to the server are lost.",
    up: { delay: ms(15), drop: [2, 3, 4, 5, 6, 7], rate: packets(mbit(10), 25) },
    down: { delay: ms(15), rate: packets(mbit(10), 25) },
    evidence: [`${INTEROP}, TestCaseAmplificationLimit: droplist --drops_to_server=2,3,4,5,6,7`],
  },
];

/** Every profile by name. */
export const PROFILES: ReadonlyMap<string, LinkProfile> = new Map(
  DRAFTS.map((draft) => [
    draft.name,
    {
      name: draft.name,
      is: draft.is,
      evidence: draft.evidence,
      up: { ...CLEAN, ...draft.both, ...draft.up },
      down: { ...CLEAN, ...draft.both, ...draft.down },
    },
  ]),
);

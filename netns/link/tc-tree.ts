/**
 * The queueing disciplines of one direction, on the egress of the device it leaves by: htb sorts the call's packets from the rest, netem (where
 * there is one) delays and copies them, tbf is the bottleneck. All are there from the start, so that a change never loses what is queued.
 *
 *   1: htb --+-- 1:1 UDP ---- 10: netem ---- 20: tbf
 *            +-- 1:2 the rest
 */
import type { LinkModel } from "../../scenarios/expanded.ts";
import type { KernelDriver } from "./expressible.ts";

/** Stands for no limit. chosen: above what a veth carries. */
const UNLIMITED = "rate 10gbit burst 1mb limit 100mb";
/** Packets netem may hold: its default of 1000 drops at 500 packets/s and 2 s. chosen: a second of 100,000 packets/s. */
const NETEM_LIMIT = 100_000;
/** Octets that leave at once after a pause: tbf sends no packet larger than this. One Ethernet MTU, the least it can be. */
const BURST = 1_500;

/** Counts a packet's IP octets, as the model does, in place of the Ethernet frame's; the disciplines below the root inherit it. */
const IP_ONLY = "stab linklayer ethernet overhead -14";

/** Lines for `tc -batch`. */
export const plant = (device: string, driver: KernelDriver, model: LinkModel): readonly string[] => [
  `qdisc add dev ${device} root handle 1: ${IP_ONLY} htb default 2`,
  `class add dev ${device} parent 1: classid 1:1 htb rate 10gbit quantum 60000`,
  `class add dev ${device} parent 1: classid 1:2 htb rate 10gbit quantum 60000`,
  ...(driver === "netem"
    ? [
        `qdisc add dev ${device} parent 1:1 handle 10: ${netem(model)}`,
        `qdisc add dev ${device} parent 10:1 handle 20: ${tbf(model)}`,
      ]
    : [`qdisc add dev ${device} parent 1:1 handle 20: ${tbf(model)}`]),
  `filter add dev ${device} parent 1: protocol ip prio 1 u32 match ip protocol 17 0xff flowid 1:1`,
];

export const prune = (device: string, driver: KernelDriver, model: LinkModel): readonly string[] => [
  ...(driver === "netem" ? [`qdisc change dev ${device} parent 1:1 handle 10: ${netem(model)}`] : []),
  `qdisc change dev ${device} parent ${driver === "netem" ? "10:1" : "1:1"} handle 20: ${tbf(model)}`,
];

const netem = ({ delay, jitter, duplicate }: LinkModel): string =>
  `netem limit ${NETEM_LIMIT} delay ${delay}us${jitter > 0 ? ` ${jitter}us` : ""}${duplicate > 0 ? ` duplicate ${duplicate * 100}%` : ""}`;

const tbf = ({ rate }: LinkModel): string =>
  `tbf ${rate === null ? UNLIMITED : `rate ${rate.bps}bit burst ${BURST} limit ${Math.max(BURST, rate.queueBytes)}`}`;

export type QueueCounts = {
  /** Sent on, copies included. */
  readonly sent: number;
  readonly queueFull: number;
  /** Still inside. */
  readonly held: number;
};

type Qdisc = {
  readonly kind: string;
  readonly handle: string;
  readonly packets: number;
  readonly drops: number;
  readonly qlen: number;
};

/** Reads `tc -s -j qdisc show dev DEVICE`. */
export function queueCounts(json: string): QueueCounts {
  const all: readonly Qdisc[] = JSON.parse(json);
  const of = (kind: string): Qdisc | undefined => all.find((one) => one.kind === kind);
  const [delay, bottleneck] = [of("netem"), of("tbf")];
  return { sent: bottleneck?.packets ?? 0, queueFull: bottleneck?.drops ?? 0, held: (delay ?? bottleneck)?.qlen ?? 0 };
}

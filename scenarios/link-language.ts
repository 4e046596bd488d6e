/**
 * How a scenario writes an access link: a profile's name, a profile with some numbers changed, or the numbers themselves,
 * for both directions at once or for each. Read into LinkModel.
 */
import { z } from "zod";
import type { InterfaceModel, LinkModel } from "./expanded.ts";
import { gilbert } from "./gilbert.ts";
import { CLEAN } from "./impairment/link.ts";
import { meanRate, parseMahimahi, type Recording, wantRecording } from "./mahimahi.ts";
import { formatPlace, type Place, type Problem } from "./problem.ts";
import { type LinkProfile, PROFILES } from "./profiles.ts";
import { defaultQueueBytes, MTU_BYTES, parseRate, queueBytesOf, type Rate } from "./rate.ts";
import { parseTime, type Time } from "./time.ts";
import { rate, share, strict, time } from "./vocabulary.ts";

type WrittenQueue = {
  readonly queueBytes?: number | undefined;
  readonly queuePackets?: number | undefined;
  readonly queue?: Time | undefined;
};

type WrittenDeliveries = WrittenQueue &
  ({ readonly mahimahi: string | readonly number[] } | { readonly at: readonly number[]; readonly period: number });

/** The numbers of one direction of a link; what is left out is as in the profile, or clean. Meanings as in LinkModel. */
export type LinkNumbers = {
  readonly delay?: Time | undefined;
  readonly jitter?: Time | undefined;
  readonly jitterShape?: "uniform" | "normal" | undefined;
  readonly order?: "keep" | "free" | undefined;
  readonly loss?: number | undefined;
  /** Gilbert-Elliott in full, or by average `loss` and mean `length` of a burst in packets. */
  readonly burst?:
    | {
        readonly p: number;
        readonly r: number;
        readonly lossGood?: number | undefined;
        readonly lossBad?: number | undefined;
      }
    | { readonly loss: number; readonly length: number }
    | null
    | undefined;
  readonly drop?: readonly number[] | undefined;
  readonly duplicate?: number | undefined;
  readonly reorder?: { readonly share: number; readonly by: Time } | null | undefined;
  /** A rate alone queues 200 ms; otherwise the queue in octets, in full-sized packets, or as a time. */
  readonly rate?: Rate | (WrittenQueue & { readonly bps: Rate }) | null | undefined;
  /** A recording in mahimahi's format, as text or as its numbers (milliseconds), or as in LinkModel; the queue as in `rate`. It takes the place of `rate`. */
  readonly deliveries?: WrittenDeliveries | undefined;
  /** Octets of the largest IP packet that passes. */
  readonly mtu?: number | undefined;
  readonly corrupt?: number | undefined;
  /** Extra delays in microseconds or as text; -1 or "lost" is a loss. */
  readonly trace?: readonly (Time | -1 | "lost")[] | undefined;
};

/** One link: a profile's name, or numbers laid over a profile (over a clean link when none is named). */
export type WrittenLink = string | (LinkNumbers & { readonly profile?: string | undefined });

const burst = z.union([
  strict({ p: share, r: share, lossGood: share.optional(), lossBad: share.optional() }),
  strict({ loss: z.number().min(0).max(0.99), length: z.number().min(1).max(1_000) }),
  z.null(),
]);

const queueKeys = {
  queueBytes: z.int().min(1).optional(),
  queuePackets: z.int().min(1).optional(),
  queue: time.optional(),
};

const bottleneck = z.union([rate, strict({ bps: rate, ...queueKeys }), z.null()]);

/** Smallest MTU of IPv4 (RFC 791) and the largest IP packet there is. */
const mtu = z.int().min(68).max(65_535);

const numbers = {
  delay: time.optional(),
  jitter: time.optional(),
  jitterShape: z.enum(["uniform", "normal"]).optional(),
  order: z.enum(["keep", "free"]).optional(),
  loss: share.optional(),
  burst: burst.optional(),
  drop: z.array(z.int().min(1)).max(10_000).optional(),
  duplicate: share.optional(),
  reorder: z.union([strict({ share, by: time }), z.null()]).optional(),
  rate: bottleneck.optional(),
  deliveries: z
    .union([
      strict({ mahimahi: z.union([z.string(), z.array(z.int().min(0))]), ...queueKeys }),
      strict({ at: z.array(z.int().min(0)).min(1), period: z.int().min(1), ...queueKeys }),
    ])
    .optional(),
  mtu: mtu.optional(),
  corrupt: share.optional(),
  trace: z
    .array(z.union([z.literal(-1), z.literal("lost"), time]))
    .max(100_000)
    .optional(),
};

/** The name of a link profile. */
export const profileName: z.ZodType<string, string> = z
  .enum([...PROFILES.keys()] as [string, ...string[]])
  .meta({ id: "profile" });

/** A link as written. */
export const link: z.ZodType<WrittenLink, WrittenLink> = z
  .union([profileName, strict({ profile: profileName.optional(), ...numbers })], {
    error: "a profile's name or an object with a link's numbers",
  })
  .meta({ id: "link" });

/** Numbers laid over a link by an impairment; `profile` lays all of that profile's numbers for the impaired direction. */
export type WrittenOverlay = LinkNumbers & { readonly profile?: string | undefined };

/** What an impairment may change. */
export const overlay: z.ZodType<WrittenOverlay, WrittenOverlay> = strict({ profile: profileName.optional(), ...numbers }).meta({
  id: "overlay",
});

/** Ways to write a queue's length. */
const QUEUES = ["queueBytes", "queuePackets", "queue"] as const;

const known = <T>(value: T | undefined): value is T => value !== undefined;

function readBurst(written: NonNullable<LinkNumbers["burst"]>): NonNullable<LinkModel["burst"]> {
  if ("length" in written) return gilbert(written.loss, written.length);
  return { p: written.p, r: written.r, lossGood: written.lossGood ?? 0, lossBad: written.lossBad ?? 1 };
}

function readRate(written: NonNullable<LinkNumbers["rate"]>): NonNullable<LinkModel["rate"]> {
  const full = typeof written === "object" ? written : { bps: written };
  const bps = parseRate(full.bps) ?? 1;
  return { bps, queueBytes: readQueue(full, bps) };
}

/** Octets that wait before a line of `bps`. */
function readQueue({ queueBytes, queuePackets, queue }: WrittenQueue, bps: number): number {
  if (known(queueBytes)) return queueBytes;
  if (known(queuePackets)) return queuePackets * MTU_BYTES;
  if (known(queue)) return Math.max(MTU_BYTES, queueBytesOf(bps, parseTime(queue) ?? 0));
  return defaultQueueBytes(bps);
}

/** What was recorded, or why it is none. */
const recordingOf = (written: WrittenDeliveries): Recording | string =>
  "mahimahi" in written ? parseMahimahi(written.mahimahi) : wantRecording(written);

function readDeliveries(written: WrittenDeliveries): Pick<LinkModel, "deliveries"> {
  const recording = recordingOf(written);
  if (typeof recording === "string") return {};
  const { at, period } = recording;
  return { deliveries: { at, period, queueBytes: readQueue(written, meanRate(recording)) } };
}

/** The numbers written, and only those, in LinkModel's units. Call after the schema and `linkProblems` found nothing wrong. */
export function readNumbers(written: LinkNumbers): Partial<LinkModel> {
  return {
    ...(known(written.delay) && { delay: parseTime(written.delay) ?? 0 }),
    ...(known(written.jitter) && { jitter: parseTime(written.jitter) ?? 0 }),
    ...(known(written.jitterShape) && { jitterShape: written.jitterShape }),
    ...(known(written.order) && { order: written.order }),
    ...(known(written.loss) && { loss: written.loss }),
    ...(known(written.burst) && { burst: written.burst === null ? null : readBurst(written.burst) }),
    ...(known(written.drop) && { drop: [...written.drop] }),
    ...(known(written.duplicate) && { duplicate: written.duplicate }),
    ...(known(written.reorder) && {
      reorder: written.reorder === null ? null : { share: written.reorder.share, by: parseTime(written.reorder.by) ?? 0 },
    }),
    ...(known(written.rate) && { rate: written.rate === null ? null : readRate(written.rate) }),
    ...(known(written.deliveries) && readDeliveries(written.deliveries)),
    ...(known(written.mtu) && { mtu: written.mtu }),
    ...(known(written.corrupt) && { corrupt: written.corrupt }),
    ...(known(written.trace) && {
      trace: written.trace.map((step) => (step === "lost" || step === -1 ? -1 : (parseTime(step) ?? 0))),
    }),
  };
}

/** The numbers of an overlay for one direction of a link. */
export function readOverlay(written: WrittenOverlay, direction: "up" | "down"): Partial<LinkModel> {
  return { ...PROFILES.get(written.profile ?? "")?.[direction], ...readNumbers(written) };
}

const CLEAN_BOTH: Pick<LinkProfile, "up" | "down"> = { up: CLEAN, down: CLEAN };

/** Both directions of a written link. */
export function readLink(written: WrittenLink): Pick<InterfaceModel, "up" | "down"> {
  if (typeof written === "string") {
    const { up, down } = PROFILES.get(written) ?? CLEAN_BOTH;
    return { up: { ...up }, down: { ...down } };
  }
  const base = PROFILES.get(written.profile ?? "") ?? CLEAN_BOTH;
  const changed = readNumbers(written);
  return { up: { ...base.up, ...changed }, down: { ...base.down, ...changed } };
}

/** What the schema cannot see in the numbers of a link. */
export function linkProblems(written: LinkNumbers, place: Place): Problem[] {
  const problems: Problem[] = [];
  const { burst: bursty, rate: limit, deliveries } = written;
  if (known(bursty) && bursty !== null && "length" in bursty && bursty.loss / (1 - bursty.loss) > bursty.length) {
    problems.push({
      path: formatPlace([...place, "burst"]),
      message: `no link loses ${bursty.loss} of its packets in bursts of ${bursty.length} on average: want a longer burst or less loss`,
    });
  }
  for (const [key, line] of Object.entries({ rate: limit, deliveries })) {
    if (typeof line !== "object" || line === null) continue;
    const queues = QUEUES.filter((one) => known(line[one]));
    if (queues.length <= 1) continue;
    problems.push({
      path: formatPlace([...place, key]),
      message: `${queues.join(" and ")} say the same thing: want one of them`,
    });
  }
  if (known(deliveries)) {
    const recording = recordingOf(deliveries);
    if (typeof recording === "string") problems.push({ path: formatPlace([...place, "deliveries"]), message: recording });
    if (known(limit) && limit !== null)
      problems.push({ path: formatPlace([...place, "deliveries"]), message: "takes the place of a rate: want one of them" });
  }
  return problems;
}

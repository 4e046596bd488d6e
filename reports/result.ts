/**
 * `result.json`: what a run came to. Scripts are written against it: fields are added freely, never changed or removed without
 * saying so in CHANGELOG.md. Times are in milliseconds, ratios 0..1, instants count from the start of the run.
 */

import { z } from "zod";
import { JITTER_BUFFERS, type JitterBufferName } from "../impl/base/jitter-buffer-name.ts";
import type { Tier } from "../impl/base/tier.ts";

/** `held`: every oracle held. `broken`: one did not. `inconclusive`: nothing can be said. `crashed`: midcall's own fault. */
export type Verdict = "held" | "broken" | "inconclusive" | "crashed";

export type OracleResult = {
  readonly name: string;
  readonly verdict: "held" | "broken" | "inconclusive";
  /** Figures and limits: `alice 214 ms, bob 198 ms (limit 500 ms)`. */
  readonly detail: string;
  /** Instant of the violation, where there is one. */
  readonly atMs?: number;
};

/** The parts of the system that a broken run may point to: a relay, a client's signalling and calls, its media protection, its playout, a parser. */
export type Component = "relay" | "client" | "protection" | "playout" | "wire" | "scenario";

/** Where to look first. `sentence` names both and says why. */
export type Culprit = { readonly component: Component; readonly party: string; readonly sentence: string };

/** Traces of a fault in the log; only those that are there. */
export type Observed = {
  readonly packetsDropped?: number;
  readonly packetsTouched?: number;
  /** `packetsTouched` by what was done to them. */
  readonly touched?: Readonly<Record<string, number>>;
  readonly processKilled?: boolean;
  /** Exited because it had drained. */
  readonly processDrained?: boolean;
  readonly processRestarted?: boolean;
  readonly processPaused?: boolean;
  readonly processResumed?: boolean;
  /** Healed with packets in its bottleneck, which had left by this instant, milliseconds. */
  readonly queuedUntilMs?: number;
};

export type Condition = {
  /** `kill r1` */
  readonly fault: string;
  /** As the scenario asked; null for a triggered fault. */
  readonly atMs: number | null;
  /** As it happened; null: never. */
  readonly appliedMs: number | null;
  readonly healedMs: number | null;
  readonly observed: Observed;
};

export type PartyAudio = {
  readonly longestGapMs: number;
  readonly gapCount: number;
  readonly concealmentRatio: number;
  /** Gaps of 150 ms or longer. */
  readonly interruptionCount: number;
  readonly mouthToEarMs: { readonly p50: number | null; readonly p95: number | null };
  /** Estimated by the E-model, by what the peer spoke in; null without audio, or where nothing is known of the codec. */
  readonly mos: number | null;
  readonly mosProvisional: true;
  /** Share of the frames heard, 0..1, that the score is of: the rest was in a codec of which nothing is published. Absent from results older than it. */
  readonly mosRatedRatio?: number;
  readonly framesExpected: number;
  /** Frames of source audio, recovered ones included. */
  readonly framesPlayed: number;
  readonly framesRecovered: number;
  readonly framesConcealed: number;
  readonly framesSilent: number;
  readonly framesComfort: number;
  readonly totalGapMs: number;
  readonly firstSourceMs: number | null;
  /** Gaps by length: each class up to and with `upToMs`, the last (null) without an end. Absent, as the next four, from results older than it. */
  readonly gapHistogram?: readonly { readonly upToMs: number | null; readonly count: number }[];
  /** All gaps of 150 ms or longer together. */
  readonly totalInterruptionMs?: number;
  /** Recovered frames that were played, by what gave them back: Opus' in-band redundancy, copies (RFC 2198), or a block code. */
  readonly recoveredBy?: { readonly lbrr: number; readonly red: number; readonly block: number };
  /** Packets that came after their time was played. */
  readonly lateDiscarded?: number;
  /** Frames that redundancy gave back for nothing. */
  readonly fecPacketsDiscarded?: number;
};

/** What a party heard beside the same speech decoded without any loss (cli/speech-comparison.ts). */
export type SpeechDistance = {
  /** Short-time objective intelligibility, 0..1 (Taal et al. 2011); null for less than 384 ms of speech. */
  readonly stoi: number | null;
  /** Mean log-spectral distance, dB; 0: the very same. */
  readonly lsdDb: number;
  readonly comparedMs: number;
};
/** Of every party that heard speech of which the log tells when it was said; or why there is nothing to compare. */
export type Speech =
  | { readonly absent: string }
  | { readonly parties: Readonly<Record<string, SpeechDistance | { readonly absent: string }>> };

/** Definitions in recovery.ts. */
export type Recovery = {
  /** Index into `conditions`. */
  readonly fault: number;
  readonly party: string;
  readonly fromFaultMs: number | null;
  readonly fromHealMs: number | null;
  /** When media flowed again; null when it never stopped or never did. */
  readonly resumedMs: number | null;
  /** How many times media stopped on account of this fault. */
  readonly stops: number;
};

export type PartyGenerations = {
  readonly sent: number;
  readonly delivered: number;
  readonly applied: number;
  readonly refusedStale: number;
  /** 0 in every run that is worth anything. */
  readonly appliedStale: number;
};

export type PartySignal = {
  readonly downMs: number;
  readonly reconnects: number;
  readonly attempts: number;
  readonly supervisorsMax: number;
};

export type PathStep = {
  readonly atMs: number;
  readonly path: "direct" | "relay";
  readonly candidate: "host" | "mapped" | "reflexive" | "relay";
};

export type PartyNetwork = {
  readonly sentPackets: number;
  readonly sentBytes: number;
  readonly receivedPackets: number;
  readonly receivedBytes: number;
  readonly lostPackets: number;
};

/** Forward error correction of a party, all its calls together. */
export type PartyFec = {
  /** What it sent with last: `rs 4+4 x3`. */
  readonly scheme: string;
  /** Octets of sealed packets, repair included, for every octet the codec gave; null when it sent nothing. */
  readonly wireRatio: number | null;
  readonly repairPacketsSent: number;
  /** Frames the peer's redundancy gave back, in time or not. */
  readonly framesGivenBack: number;
  /** Recovered frames that were played, by what gave them back: `lbrr` (the codec's own), `red`, `xor`, `rs`, `raptorq`, `rlc`. */
  readonly framesPlayedBy: Readonly<Record<string, number>>;
  /** How much longer frames were held for it, at the most. */
  readonly holdMs: number;
};

/** One tier a party spoke in, all stretches together. */
export type PartyTier = {
  readonly tier: Tier;
  readonly coding: string;
  readonly forMs: number;
  /** What the codec gave. */
  readonly payloadKbps: number;
  /** All that was sealed meanwhile, with every header from IPv4 up; rates below 24 kbit/s are mostly those. */
  readonly wireKbps: number;
  /** Of what the peer heard meanwhile, by the E-model; null where nothing is known of the codec, or nothing was heard. */
  readonly mos: number | null;
  readonly mosProvisional: true;
};

/** Keyed by party. */
type Each<T> = Readonly<Record<string, T>>;

export type Measurements = {
  readonly audio: Each<PartyAudio>;
  readonly recovery: readonly Recovery[];
  readonly generations: Each<PartyGenerations>;
  readonly signal: Each<PartySignal>;
  readonly path: Each<readonly PathStep[]>;
  readonly network: Each<PartyNetwork>;
  /** Of the parties that sent or were sent any; absent from results older than it. */
  readonly fec?: Each<PartyFec>;
  /** Of the parties that speak in tiers; absent from results older than it. */
  readonly tiers?: Each<readonly PartyTier[]>;
};

export type Versions = { readonly midcall: string; readonly node: string; readonly commit: string };

export type Result = {
  readonly schema: "midcall/result@1";
  readonly scenario: string;
  readonly lab: string;
  readonly seed: string;
  readonly verdict: Verdict;
  /** One sentence: why this verdict. */
  readonly cause: string;
  /** Where to look first, of a broken run whose log says so. */
  readonly culprit?: Culprit;
  readonly hash: string;
  readonly versions: Versions;
  readonly codec: "real" | "sized";
  readonly crypto: "real" | "null";
  readonly jitterBuffer: JitterBufferName;
  /** Comes with the run and not from its log: it takes the audio. Absent from results older than it, and of runs that left nothing behind. */
  readonly speech?: Speech;
  readonly virtualMs: number;
  readonly wallMs: number;
  /**
   * Where the run's instant 0 lies on the calendar, ISO 8601: as if it had taken its own time and ended when it did, so that nothing in
   * it lies in the future. Absent in results of versions that did not write it.
   */
  readonly startedAt?: string;
  readonly dir: string;
  readonly conditions: readonly Condition[];
  readonly oracles: readonly OracleResult[];
  readonly measurements: Measurements;
};

const ms = z.number().min(0);
const count = z.int().min(0);
const ratio = z.number().min(0).max(1);
const each = <T extends z.ZodType>(schema: T): z.ZodRecord<z.ZodString, T> => z.record(z.string(), schema);

/** Checks a result read from a file. Unknown fields are left alone: a newer midcall may have added them. */
export const resultSchema: z.ZodType<Result> = z.object({
  schema: z.literal("midcall/result@1"),
  scenario: z.string(),
  lab: z.string(),
  seed: z.string(),
  verdict: z.enum(["held", "broken", "inconclusive", "crashed"]),
  cause: z.string(),
  culprit: z
    .object({
      component: z.enum(["relay", "client", "protection", "playout", "wire", "scenario"]),
      party: z.string(),
      sentence: z.string(),
    })
    .exactOptional(),
  hash: z.string(),
  versions: z.object({ midcall: z.string(), node: z.string(), commit: z.string() }),
  codec: z.enum(["real", "sized"]),
  crypto: z.enum(["real", "null"]),
  // Results older than the choice.
  jitterBuffer: z.enum(JITTER_BUFFERS).default("ema"),
  speech: z
    .union([
      z.object({ absent: z.string() }),
      z.object({
        parties: each(
          z.union([
            z.object({ absent: z.string() }),
            z.object({ stoi: z.number().min(-1).max(1).nullable(), lsdDb: z.number().min(0), comparedMs: ms }),
          ]),
        ),
      }),
    ])
    .exactOptional(),
  virtualMs: ms,
  wallMs: ms,
  startedAt: z.iso.datetime().exactOptional(),
  dir: z.string(),
  conditions: z.array(
    z.object({
      fault: z.string(),
      atMs: ms.nullable(),
      appliedMs: ms.nullable(),
      healedMs: ms.nullable(),
      observed: z.object({
        packetsDropped: count.exactOptional(),
        packetsTouched: count.exactOptional(),
        touched: each(count).exactOptional(),
        processKilled: z.boolean().exactOptional(),
        processDrained: z.boolean().exactOptional(),
        processRestarted: z.boolean().exactOptional(),
        processPaused: z.boolean().exactOptional(),
        processResumed: z.boolean().exactOptional(),
        queuedUntilMs: ms.exactOptional(),
      }),
    }),
  ),
  oracles: z.array(
    z.object({
      name: z.string(),
      verdict: z.enum(["held", "broken", "inconclusive"]),
      detail: z.string(),
      atMs: ms.exactOptional(),
    }),
  ),
  measurements: z.object({
    audio: each(
      z.object({
        longestGapMs: ms,
        gapCount: count,
        concealmentRatio: ratio,
        interruptionCount: count,
        mouthToEarMs: z.object({ p50: ms.nullable(), p95: ms.nullable() }),
        mos: z.number().min(1).max(4.5).nullable(),
        mosProvisional: z.literal(true),
        mosRatedRatio: ratio.exactOptional(),
        framesExpected: count,
        framesPlayed: count,
        framesRecovered: count,
        framesConcealed: count,
        framesSilent: count,
        framesComfort: count,
        totalGapMs: ms,
        firstSourceMs: ms.nullable(),
        gapHistogram: z.array(z.object({ upToMs: ms.nullable(), count })).exactOptional(),
        totalInterruptionMs: ms.exactOptional(),
        recoveredBy: z.object({ lbrr: count, red: count, block: count }).exactOptional(),
        lateDiscarded: count.exactOptional(),
        fecPacketsDiscarded: count.exactOptional(),
      }),
    ),
    recovery: z.array(
      z.object({
        fault: count,
        party: z.string(),
        fromFaultMs: ms.nullable(),
        fromHealMs: ms.nullable(),
        resumedMs: ms.nullable(),
        stops: count,
      }),
    ),
    generations: each(z.object({ sent: count, delivered: count, applied: count, refusedStale: count, appliedStale: count })),
    signal: each(z.object({ downMs: ms, reconnects: count, attempts: count, supervisorsMax: count })),
    path: each(
      z.array(
        z.object({
          atMs: ms,
          path: z.enum(["direct", "relay"]),
          candidate: z.enum(["host", "mapped", "reflexive", "relay"]),
        }),
      ),
    ),
    network: each(
      z.object({ sentPackets: count, sentBytes: count, receivedPackets: count, receivedBytes: count, lostPackets: count }),
    ),
    fec: each(
      z.object({
        scheme: z.string(),
        wireRatio: z.number().min(0).nullable(),
        repairPacketsSent: count,
        framesGivenBack: count,
        framesPlayedBy: each(count),
        holdMs: ms,
      }),
    ).exactOptional(),
    tiers: each(
      z.array(
        z.object({
          tier: z.enum(["good", "degraded", "catastrophic"]),
          coding: z.string(),
          forMs: ms,
          payloadKbps: z.number().min(0),
          wireKbps: z.number().min(0),
          mos: z.number().min(1).max(4.5).nullable(),
          mosProvisional: z.literal(true),
        }),
      ),
    ).exactOptional(),
  }),
});

/** The JSON Schema (draft 2020-12) of `result.json`, as committed in result.schema.json. */
export const resultJsonSchema = (): unknown => ({
  title: "midcall result",
  ...z.toJSONSchema(resultSchema, { io: "input" }),
});

/** What a run's facts are, besides its log and its scenario. */
export type RunFacts = {
  readonly hash: string;
  readonly versions: Versions;
  readonly codec: "real" | "sized";
  readonly crypto: "real" | "null";
  readonly speech?: Speech;
  readonly lab: string;
  readonly seed: string;
  readonly virtualMs: number;
  readonly wallMs: number;
  readonly startedAt?: string;
  readonly dir: string;
};

/** Puts a result together in the order of fields that CONTRACT shows. */
export function buildResult(
  facts: RunFacts & { readonly scenario: string; readonly jitterBuffer: JitterBufferName },
  judged: {
    readonly verdict: Verdict;
    readonly cause: string;
    readonly culprit?: Culprit | undefined;
    readonly oracles: readonly OracleResult[];
  },
  conditions: readonly Condition[],
  measurements: Measurements,
): Result {
  return {
    schema: "midcall/result@1",
    scenario: facts.scenario,
    lab: facts.lab,
    seed: facts.seed,
    verdict: judged.verdict,
    cause: judged.cause,
    ...(judged.culprit === undefined ? {} : { culprit: judged.culprit }),
    hash: facts.hash,
    versions: facts.versions,
    codec: facts.codec,
    crypto: facts.crypto,
    jitterBuffer: facts.jitterBuffer,
    ...(facts.speech === undefined ? {} : { speech: facts.speech }),
    virtualMs: facts.virtualMs,
    wallMs: facts.wallMs,
    ...(facts.startedAt === undefined ? {} : { startedAt: facts.startedAt }),
    dir: facts.dir,
    conditions,
    oracles: judged.oracles,
    measurements,
  };
}

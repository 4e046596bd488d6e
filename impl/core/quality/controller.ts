/**
 * Which tier and which redundancy the link bears, from what the receiver reports. Down at once where it must be, up only after the link has been better for a
 * while, and each time that turns out to be wrong the next try waits twice as long: so a steady link sees at most one turn in ten seconds.
 * After the loss-based part of Google Congestion Control (draft-ietf-rmcat-gcc-02 section 6) for what counts as loss, with tiers in place of a rate.
 */
import { type FecScheme, nameOfScheme } from "../../base/fec-scheme.ts";
import { TIERS, type Tier, type TierChoice } from "../../base/tier.ts";
import { Instant, type Micros, seconds } from "../../base/units.ts";
import { BURSTY, LEVEL_ABOVE, schemeOf, sealedRate, TOP_LEVEL } from "./redundancy.ts";

export type Config = {
  readonly tier: TierChoice;
  readonly adaptsFec: boolean;
  /** What it sends with unless `adaptsFec`. */
  readonly scheme: FecScheme;
  /** Schemes the peer can make use of. */
  readonly peer: readonly string[];
  /** Most the wire may carry, bits a second. */
  readonly maxRate: number;
};

/** chosen: twice what the best tier costs without redundancy (60 kbit/s); a voice call has no business with more. */
export const MAX_RATE = 128_000;

/** What one report says about the time since the one before. */
export type Input = {
  readonly type: "report";
  /** Packets judged; 0: none came and none is missed yet, as in an outage, which no tier bridges. */
  readonly packets: number;
  /** 0..1 of them lost. */
  readonly loss: number;
  /** Mean length of a run of lost ones, 1 when none was. */
  readonly burst: number;
  readonly rttMs: number | undefined;
  readonly jitterMs: number;
  /** Mean time that packets wait somewhere on their way. */
  readonly queueMs: number;
  readonly deliveredBps: number;
  readonly sentBps: number;
};

export type State = {
  readonly tier: Tier;
  readonly level: number;
  readonly bursty: boolean;
  readonly scheme: FecScheme;
  /** The tier `scheme` was chosen for. */
  readonly schemeTier: Tier;
  readonly reports: number;
  /** Loss over about two seconds and about eight, and the mean burst. */
  readonly fast: number;
  readonly slow: number;
  readonly burst: number;
  readonly rttMs: number;
  readonly jitterMs: number;
  /** Last changes of tier, up and down, and of level. */
  readonly downAt: Instant;
  readonly upAt: Instant;
  readonly levelAt: Instant;
  /** How long the link must have been better before the next step up. */
  readonly patience: Micros;
  /** Since when nothing has spoken against the next tier up; undefined: something does. */
  readonly betterSince: Instant | undefined;
};

export type Effect = { readonly type: "speak"; readonly tier: Tier; readonly scheme: FecScheme; readonly reason: string };

/** Loss above which a tier is left for the one below, and below which the one above is tried. chosen: what the next ladder still gives back. */
const LEAVE: Readonly<Record<Tier, number>> = { good: 0.18, degraded: 0.42, catastrophic: 2 };
const RETURN: Readonly<Record<Tier, number>> = { good: 0, degraded: 0.1, catastrophic: 0.3 };
/** A queue is congestion from here on and beyond three times the jitter. chosen: a bottleneck's queue, not an access point's scheduling. */
const QUEUE_MS = 120;
const QUEUE_JITTERS = 3;
/** Half of that is, when less than this share of what is sent comes through at the same time. */
const SHORTFALL = 0.8;
/** What congestion lets through is shared with what was queued before: a tier must do with this share of it. */
const HEADROOM = 0.9;
/** Least time between two steps down: what the last one did shows only once the queue has drained. */
const STEP: Micros = seconds(2);
const PATIENCE: Micros = seconds(10);
const MAX_PATIENCE: Micros = seconds(80);
/** A step down so soon after a step up says that the step up was wrong; after twice that it was right. */
const REGRET: Micros = seconds(20);
/** Levels change at most so often: up, and down. */
const LEVEL_UP: Micros = seconds(1);
const LEVEL_DOWN: Micros = seconds(10);
/** Share of a new report in the averages. */
const FAST = 0.25;
const SLOW = 0.06;
/** Level down only when the loss would have to grow by that much to want it back. */
const MARGIN = 1.5;
/** Mouth to ear for which repair may hold frames: 400 ms (ITU-T G.114), less the way and the buffer; at least 80 ms and at most 300. */
const MOUTH_TO_EAR_MS = 400;
const [LEAST_HOLD_MS, MOST_HOLD_MS] = [80, 300];

const NEVER = Instant(0);

export function start(config: Config): State {
  const tier = config.tier === "adaptive" ? "good" : config.tier;
  return {
    ...{
      tier,
      level: 0,
      bursty: false,
      scheme: config.scheme,
      schemeTier: tier,
      reports: 0,
      fast: 0,
      slow: 0,
      burst: 1,
      rttMs: 0,
      jitterMs: 0,
    },
    ...{ downAt: NEVER, upAt: NEVER, levelAt: NEVER, patience: PATIENCE, betterSince: undefined },
  };
}

export function step(config: Config, before: State, now: Instant, input: Input): readonly [State, readonly Effect[]] {
  if (input.packets === 0) return [before, []];
  const measured = measure(before, input);
  const tiered = config.tier === "adaptive" ? moveTier(measured, now, input) : measured;
  const next = config.adaptsFec ? moveLevel(config, tiered, now) : tiered;
  if (next.tier === before.tier && nameOfScheme(next.scheme) === nameOfScheme(before.scheme)) return [next, []];
  return [next, [{ type: "speak", tier: next.tier, scheme: next.scheme, reason: reasonOf(before, next, input) }]];
}

function measure(s: State, input: Input): State {
  const blend = (old: number, fresh: number, share: number): number => old + (fresh - old) * share;
  // The first reports count in full: an average that begins at zero takes seconds to believe in a bad link.
  const share = (least: number): number => Math.max(least, 1 / (s.reports + 1));
  return {
    ...s,
    reports: s.reports + 1,
    fast: blend(s.fast, input.loss, share(FAST)),
    slow: blend(s.slow, input.loss, share(SLOW)),
    burst: input.loss === 0 ? s.burst : blend(s.burst, input.burst, share(SLOW)),
    rttMs: input.rttMs ?? s.rttMs,
    jitterMs: input.jitterMs,
  };
}

function isCongested({ queueMs, jitterMs, deliveredBps, sentBps }: Input): boolean {
  const most = Math.max(QUEUE_MS, QUEUE_JITTERS * jitterMs);
  return queueMs > most || (queueMs > most / 2 && deliveredBps < SHORTFALL * sentBps);
}

function moveTier(s: State, now: Instant, input: Input): State {
  const congested = isCongested(input);
  const at = TIERS.indexOf(s.tier);
  const below = TIERS[at + 1];
  const above = TIERS[at - 1];
  const since = (instant: Instant): number => (instant === NEVER ? Number.POSITIVE_INFINITY : now - instant);
  const settled = Math.min(since(s.downAt), since(s.upAt)) >= STEP;
  if (below !== undefined && settled && (s.fast > LEAVE[s.tier] || congested)) {
    const regrets = since(s.upAt) < REGRET;
    const patience = regrets ? Math.min(MAX_PATIENCE, s.patience * 2) : s.patience;
    const last = TIERS.at(-1) as Tier;
    const tooMuch = congested && sealedRate(below) > HEADROOM * input.deliveredBps;
    return { ...s, tier: tooMuch ? last : below, downAt: now, patience: patience as Micros, betterSince: undefined };
  }
  const better = above !== undefined && s.slow < RETURN[s.tier] && s.fast < RETURN[s.tier] && !congested;
  if (!better) return { ...s, betterSince: undefined };
  const betterSince = s.betterSince ?? now;
  if (now - betterSince < s.patience || since(s.downAt) < s.patience || since(s.upAt) < PATIENCE) return { ...s, betterSince };
  const patience = since(s.upAt) > 2 * REGRET && since(s.downAt) > 2 * REGRET ? PATIENCE : s.patience;
  return { ...s, tier: above, upAt: now, patience, betterSince: undefined };
}

function moveLevel(config: Config, s: State, now: Instant): State {
  const wants = (loss: number): number => LEVEL_ABOVE.findLastIndex((above, level) => level === 0 || loss > above);
  const since = s.levelAt === NEVER ? Number.POSITIVE_INFINITY : now - s.levelAt;
  let { level, levelAt } = s;
  const [up, down] = [wants(s.fast), wants(s.slow * MARGIN)];
  if (up > level && since >= LEVEL_UP) [level, levelAt] = [Math.min(TOP_LEVEL, up), now];
  else if (down < level && up < level && since >= LEVEL_DOWN) [level, levelAt] = [level - 1, now];
  // Bursty or not has a margin of its own, and follows no faster than levels fall.
  const bursty = s.bursty ? s.burst > BURSTY - 0.3 : s.burst > BURSTY;
  const turns = bursty !== s.bursty && (level !== s.level || since >= LEVEL_DOWN);
  const spent = s.rttMs / 2 + 2 * s.jitterMs + 60;
  const hold = Math.max(LEAST_HOLD_MS, Math.min(MOST_HOLD_MS, MOUTH_TO_EAR_MS - spent)) * 1_000;
  const changes = level !== s.level || turns || s.tier !== s.schemeTier;
  if (!changes) return { ...s, level, levelAt };
  const means = { bursty: turns ? bursty : s.bursty, hold, rate: config.maxRate, peer: config.peer };
  const scheme = schemeOf(s.tier, level, means);
  return { ...s, level, levelAt: turns ? now : levelAt, bursty: means.bursty, scheme, schemeTier: s.tier };
}

function reasonOf(before: State, next: State, input: Input): string {
  const percent = (ratio: number): string => `${(ratio * 100).toFixed(1)} %`;
  const loss = `loss ${percent(next.fast)} now, ${percent(next.slow)} lately, runs of ${next.burst.toFixed(1)}`;
  if (next.tier === before.tier) return loss;
  return isCongested(input) ? `queue of ${Math.round(input.queueMs)} ms; ${loss}` : loss;
}

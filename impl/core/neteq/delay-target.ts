/**
 * The delay to aim at, from two histograms. One holds the worst lateness of each half second among packets that came in order: running
 * dry is what it avoids. The other holds when audio became available out of order (a packet overtaken, a lost one that a later packet
 * carries again): there waiting longer is weighed against losing it.
 * libwebrtc m125: delay_manager.cc, underrun_optimizer.cc, reorder_optimizer.cc. Different here: redundancy counts as late arrival, and
 * the more is missing for good the less is waited for.
 */
import type { DelayBounds } from "../jitter-buffer.ts";
import { DelayHistogram } from "./delay-histogram.ts";

/** Share of half seconds whose worst packet shall be in time (NetEq: quantile). */
const QUANTILE = 0.95;
/** NetEq: forget_factor of the underrun optimizer, a time constant of 30 s at two additions a second. */
const FORGET = 0.983;
/** NetEq: resample_interval_ms. */
const INTERVAL = 500_000;
/** NetEq: the reorder optimizer's forget factor, 29 s at 50 packets a second. */
const REORDER_FORGET = 0.9993;
/**
 * Microseconds of delay that are worth one percent of loss, unless told. chosen: about twice NetEq's ms_per_loss_percent, and half of what the full-band E-model
 * says with its figures for Opus (one percent costs 0.2 MOS, as much as 90 ms between 100 and 300 ms do), because it is blind to how
 * delay hurts turn-taking.
 */
export const LOSS_PRICE = 45_000;
/**
 * The more is missing for good, the less another percent matters: the impairment of ITU-T G.107.2 grows with Ppl / (Ppl + Bpl), whose slope falls with the square of 1 + Ppl / Bpl.
 * This is Bpl of Opus as a share (reports/e-model.ts).
 */
const ROBUSTNESS = 0.096;
/** chosen: a stretch changes the delay no more often than this. */
const UPDATE_EVERY = 100_000;
/** The target until the first half second is over. chosen: half of NetEq's 80 ms, so that the first word is not late. */
const START = 40_000;

/** From this lateness of its best packet on half a second looks like a slower path. chosen: a tick. */
const SLOWER_PATH = 20_000;
/** The next one says the same when its best packet is this near. chosen: a queue that fills moves on further. */
const SAME_PATH = 10_000;
/** Of what lost frames come back later by, so much need not be added: frames are taken out at ticks, half a tick above what is aimed at in the mean. */
const HOLD_SPARE = 10_000;
const STEADY = { worst: 0, best: 0 } as const;

export class DelayTarget {
  readonly #bounds: DelayBounds;
  readonly #lossPrice: number;
  readonly #underrun: DelayHistogram = new DelayHistogram(FORGET);
  readonly #reorder: DelayHistogram = new DelayHistogram(REORDER_FORGET);
  #intervalEnd = -1;
  #worst = 0;
  #best: number = Number.POSITIVE_INFINITY;
  /** The half second before, when it looked like a slower path; its `best` is 0 when it did not. */
  #before: { readonly worst: number; readonly best: number } = STEADY;
  #updateAt = 0;
  /** Share of frames that never came, as the reorder histogram remembers. */
  #missing = 0;
  /** Added to the delay while frames are given back later than their packets; microseconds. */
  #held = 0;
  #target: number;

  /** `lossPrice`: microseconds of delay that one percent of loss is worth. */
  constructor(bounds: DelayBounds, lossPrice: number = LOSS_PRICE) {
    this.#bounds = bounds;
    this.#lossPrice = lossPrice;
    this.#target = this.#clamp(START);
  }

  /** Microseconds after the earliest packet, within the bounds. */
  get target(): number {
    return this.#target;
  }

  /**
   * A packet newer than all before came `late` microseconds after the earliest. Answers by how much the earliest is out of date because the
   * path became slower: 0, or the lateness that every packet of a second had.
   */
  inOrder(now: number, late: number): number {
    if (this.#intervalEnd < 0) this.#intervalEnd = now + INTERVAL;
    const slower = now < this.#intervalEnd ? 0 : this.#close(now);
    const own = Math.max(0, late - slower);
    if (own > this.#worst) this.#worst = own;
    if (own < this.#best) this.#best = own;
    this.#reorder.add(0);
    this.#update(now);
    return slower;
  }

  #close(now: number): number {
    const [worst, best, before] = [this.#worst, this.#best, this.#before];
    this.#intervalEnd = now + INTERVAL;
    this.#worst = 0;
    this.#best = Number.POSITIVE_INFINITY;
    this.#before = STEADY;
    if (before.best > 0) {
      if (Math.abs(best - before.best) <= SAME_PATH) {
        const slower = Math.min(best, before.best);
        this.#underrun.add(before.worst - slower);
        this.#underrun.add(worst - slower);
        return slower;
      }
      this.#underrun.add(before.worst);
    }
    if (best >= SLOWER_PATH && best < Number.POSITIVE_INFINITY) this.#before = { worst, best };
    else this.#underrun.add(worst);
    return 0;
  }

  /** Audio of an earlier packet became available `late` microseconds after the earliest it could have been. */
  outOfOrder(now: number, late: number): void {
    this.#reorder.add(late);
    this.#update(now);
  }

  /** As `outOfOrder`, of a frame that redundancy gave back: where nothing is held for such frames, nothing is learnt of them. */
  givenBack(now: number, late: number): void {
    if (this.#held > 0) this.outOfOrder(now, late);
  }

  /** A frame was played: its audio had come, or (`isMissing`) not. */
  played(isMissing: boolean): void {
    this.#missing += ((isMissing ? 1 : 0) - this.#missing) * (1 - REORDER_FORGET);
  }

  /** A frame that was played as missing came after all: waiting longer would have helped, so it is no reason to wait less. */
  cameAfterAll(): void {
    this.#missing = Math.max(0, this.#missing - (1 - REORDER_FORGET));
  }

  /**
   * Lost frames come back up to `length` microseconds after their own packets: that is added to the target, but for HOLD_SPARE.
   * Less of it where loss is worth less than usual. What is aimed at is the least level: on average a frame more is there, which covers the tick a frame is found in.
   */
  holdFor(length: number): void {
    const held = Math.max(0, length - HOLD_SPARE) * Math.min(1, this.#lossPrice / LOSS_PRICE);
    this.#target = this.#clamp(this.#target - this.#held + held);
    this.#held = held;
  }

  #update(now: number): void {
    if (this.#underrun.count === 0 || now < this.#updateAt) return;
    this.#updateAt = now + UPDATE_EVERY;
    // Running dry matters as far as anything is heard: where half is missing anyway, the worst of the rest is not waited for.
    const underrun = this.#underrun.quantile(QUANTILE * (1 - this.#missing));
    this.#target = this.#clamp(Math.max(underrun + this.#held, this.#reorder.cheapest(this.#price, underrun)));
  }

  /** What losing everything is worth in microseconds of delay. */
  get #price(): number {
    return (100 * this.#lossPrice) / (1 + this.#missing / ROBUSTNESS) ** 2;
  }

  #clamp(target: number): number {
    return Math.max(this.#bounds.minTarget, Math.min(this.#bounds.maxTarget, target));
  }
}

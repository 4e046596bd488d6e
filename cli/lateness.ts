/** How far a real-time benchmark was held up by its machine: the worst lateness of every half second, as NetEq itself looks at it. */
import { ArrivalHistory } from "../impl/core/neteq/arrival-history.ts";

/** libwebrtc's NetEq: resample_interval_ms, and the share of such intervals whose worst packet shall be in time (quantile). */
const INTERVAL = 500_000;
const QUANTILE = 0.95;

/** `usual`: what 19 of 20 half seconds stayed within, which is what a NetEq aims at for the machine's sake alone. */
export type LatenessFigure = { readonly usualMs: number; readonly worstMs: number };

/** NetEq's targets go in steps of 20 ms: with more than the first of them, the delay it aims at is the machine's. */
const USUAL_MS = 20;
/** libwebrtc's kMaxWaitForPacketMs: nothing on these lists but jitter is longer, and to a NetEq it is an outage. */
const WORST_MS = 100;

/** Whether the machine decided what was measured. */
export const isHeldUp = ({ usualMs, worstMs }: LatenessFigure): boolean => usualMs > USUAL_MS || worstMs > WORST_MS;

/** Times are microseconds. */
export class Lateness {
  readonly #history: ArrivalHistory = new ArrivalHistory();
  readonly #worst: number[] = [];
  #end = Number.NEGATIVE_INFINITY;

  /** Something happened at `now`, `transit` after the time it was due by a clock of its own: only differences of transits mean anything. */
  observe(now: number, transit: number): void {
    if (now >= this.#end) {
      this.#end = now + INTERVAL;
      this.#worst.push(0);
    }
    const late = this.#history.observe(now, transit);
    this.#worst[this.#worst.length - 1] = Math.max(this.#worst.at(-1) ?? 0, late);
  }

  /** Milliseconds against the earliest of two seconds; 0 of nothing. */
  get figure(): LatenessFigure {
    const sorted = this.#worst.toSorted((a, b) => a - b);
    return {
      usualMs: (sorted[Math.ceil(QUANTILE * sorted.length) - 1] ?? 0) / 1_000,
      worstMs: (sorted.at(-1) ?? 0) / 1_000,
    };
  }
}

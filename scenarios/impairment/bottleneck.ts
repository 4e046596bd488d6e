/**
 * A transmitter of fixed rate behind a byte queue with tail drop, in exact integer arithmetic: no rounding adds up over a busy period.
 * A change of rate leaves the departures of packets already accepted as they are; only the backlog that counts against the
 * queue drains at the new rate.
 */
import type { Instant } from "../../impl/base/units.ts";
import type { LinkModel } from "../expanded.ts";

type Rate = NonNullable<LinkModel["rate"]>;

const SECOND = 1_000_000;

export class Bottleneck {
  #bps = 0;
  /** Since `epoch` the line sends `bits` without a pause. */
  #epoch = 0;
  #bits = 0;
  #free = 0;

  /** When the last accepted packet leaves; nothing leaves earlier, whatever the rate becomes. */
  get free(): Instant {
    return this.#free as Instant;
  }

  /**
   * When the last bit of a packet of `bytes` offered at `now` has left, rounded up to a whole microsecond; undefined when the queue has
   * no room. The queue's bytes include what is left of the packet being sent; an idle line accepts any packet. A rate of 0 accepts none.
   * Exact up to 1 Gbit/s.
   */
  offer(now: Instant, bytes: number, rate: Rate): Instant | undefined {
    if (!(rate.bps > 0)) return undefined;
    if (rate.bps !== this.#bps) this.#retune(now, rate.bps);
    const bits = bytes * 8;
    const backlog = this.#bits * SECOND - (now - this.#epoch) * rate.bps; // in bits / 10^6, so that it stays whole
    if (backlog <= 0) {
      this.#epoch = now;
      this.#bits = 0;
    } else if (backlog + bits * SECOND > rate.queueBytes * 8 * SECOND) return undefined;
    this.#bits += bits;
    if (this.#bits >= rate.bps) {
      const whole = Math.floor(this.#bits / rate.bps); // whole seconds move into the epoch, which keeps the products small
      this.#epoch += whole * SECOND;
      this.#bits -= whole * rate.bps;
    }
    const departs = this.#epoch + Math.ceil((this.#bits * SECOND) / rate.bps);
    this.#free = Math.max(this.#free, departs);
    return this.#free as Instant;
  }

  #retune(now: Instant, bps: number): void {
    const left = this.#bits - ((now - this.#epoch) * this.#bps) / SECOND;
    this.#bits = Math.max(0, Math.ceil(left));
    this.#epoch = now;
    this.#bps = bps;
  }
}

/**
 * Numbers for the frames a jitter buffer holds: one for each 20 ms of the sender's time, rising with it. Packets carry one frame or several, and
 * none while their sender is silent, so packet numbers would not do. Where the sender's clock goes back, the numbers go on.
 */
import { FRAME_SAMPLES } from "../codec.ts";

export class UnitNumbers {
  /** Highest packet number, and the highest number given. */
  #packet = -1;
  #newest = -1;
  #shift = 0;

  /** The number of the packet's first frame; undefined for one of before the clock went back. */
  of(packet: number, timestamp: number, units: number): number | undefined {
    const unit = Math.floor(timestamp / FRAME_SAMPLES);
    if (packet > this.#packet) {
      this.#packet = packet;
      if (unit + this.#shift <= this.#newest) this.#shift = this.#newest + 1 - unit;
      this.#newest = unit + this.#shift + units - 1;
      return unit + this.#shift;
    }
    const number = unit + this.#shift;
    return number < 0 || number > this.#newest ? undefined : number;
  }
}

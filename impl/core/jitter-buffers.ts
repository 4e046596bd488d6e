/** Makes the jitter buffer that was asked for by name. */
import type { JitterBufferName } from "../base/jitter-buffer-name.ts";
import { Micros } from "../base/units.ts";
import { EMA_BOUNDS, EmaBuffer } from "./ema-buffer.ts";
import type { JitterBuffer, JitterOptions } from "./jitter-buffer.ts";
import { LOSS_PRICE } from "./neteq/delay-target.ts";
import { NETEQ_BOUNDS, NeteqBuffer } from "./neteq/neteq-buffer.ts";

/** RangeError unless 0 <= minTarget <= maxTarget and 0 <= lossPrice. */
export function jitterBuffer(
  name: JitterBufferName,
  { decoder, mode, bounds, lossPrice = Micros(LOSS_PRICE) }: JitterOptions,
): JitterBuffer {
  const { minTarget, maxTarget } = bounds ?? (name === "ema" ? EMA_BOUNDS : NETEQ_BOUNDS);
  if (!(minTarget >= 0 && minTarget <= maxTarget)) {
    throw new RangeError(`bounds: want 0 <= minTarget <= maxTarget, got ${minTarget} and ${maxTarget}`);
  }
  if (!(lossPrice >= 0)) throw new RangeError(`lossPrice: want microseconds >= 0, got ${lossPrice}`);
  const own = { decoder, mode, bounds: { minTarget, maxTarget }, lossPrice };
  return name === "ema" ? new EmaBuffer(own) : new NeteqBuffer(own);
}

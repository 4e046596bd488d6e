/**
 * What a `comfort` packet says, after RFC 3389 section 3: how loud the noise is while nothing is said. A second octet tells for how long nothing
 * has been said, so that the loss of the first descriptions is not taken for lost speech.
 *
 *     0 level (-dBov, 0..127) | units of 20 ms since silence began, 255: that many or more
 *
 * The spectral information that RFC 3389 lets follow the level is left out on purpose.
 */
import { freshOctets } from "../base/octet-slab.ts";

/** The quietest level there is (RFC 3389 section 3). */
export const SILENT_DBOV = 127;
/** The longest time since silence began that is told, in units of 20 ms. */
export const MAX_SINCE = 255;

export type ComfortNoise = {
  /** -dBov: 0 as loud as can be, 127 nothing. */
  readonly level: number;
  /** Units of 20 ms between the beginning of the silence and the packet's time. */
  readonly since: number;
};

export function putComfortNoise({ level, since }: ComfortNoise): Uint8Array {
  const bytes = freshOctets(2);
  bytes[0] = level;
  bytes[1] = Math.min(MAX_SINCE, since);
  return bytes;
}

/** Undefined for a payload that is too short or has the reserved bit set; what follows is not looked at. Never throws. */
export function parseComfortNoise(bytes: Uint8Array): ComfortNoise | undefined {
  const [level, since] = bytes;
  return level === undefined || since === undefined || level > SILENT_DBOV ? undefined : { level, since };
}

/** Mean square of 16-bit samples as a level; 0 dBov is a full-scale square wave (RFC 3389 section 3: the overload point). */
export const dbovOf = (power: number): number =>
  power < 1 ? SILENT_DBOV : Math.max(0, Math.min(SILENT_DBOV, Math.round(-10 * Math.log10(power / 32_768 ** 2))));

/** Root mean square of samples at a level. */
export const amplitudeOf = (dbov: number): number => (dbov >= SILENT_DBOV ? 0 : 32_768 * 10 ** (-dbov / 20));

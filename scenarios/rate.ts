/**
 * Data rates as people write them in a scenario: "300kbit", "1.5Mbit", "10Mbit/s", or bits per second as a number.
 * `kbps` is refused: tc reads it as kilobytes and most people as kilobits.
 */

/** What a written rate looks like; also the `pattern` of the JSON Schema. */
export const RATE_PATTERN: RegExp = /^\d+(\.\d+)? ?([kMG]?)bit(\/s)?$/;

/** A rate as written: bits per second, or text that RATE_PATTERN matches. */
export type Rate = number | string;

const BITS_PER_UNIT: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["k", 1_000],
  ["M", 1_000_000],
  ["G", 1_000_000_000],
]);

/** Whole bits per second >= 1; undefined for anything else. Never throws. */
export function parseRate(written: Rate): number | undefined {
  if (typeof written === "number") return Number.isSafeInteger(written) && written >= 1 ? written : undefined;
  const match = RATE_PATTERN.exec(written);
  const scale = BITS_PER_UNIT.get(match?.[2] ?? "");
  if (match === null || scale === undefined) return undefined;
  const bps = Math.round(Number.parseFloat(written) * scale);
  return Number.isSafeInteger(bps) && bps >= 1 ? bps : undefined;
}

/** Largest IP packet of an Ethernet, in octets: turns a queue counted in packets into octets. */
export const MTU_BYTES = 1_500;

/**
 * Octets of queue before a bottleneck of `bps` when the scenario names none.
 * chosen: 200 ms, between a well-tuned router and the 400 ms that patchbay's link presets give tbf, and at least ten
 * full packets so that a slow link still carries a handshake.
 */
export const defaultQueueBytes = (bps: number): number => Math.max(10 * MTU_BYTES, queueBytesOf(bps, 200_000));

/** Octets that a bottleneck of `bps` sends in `micros`, rounded up. */
export const queueBytesOf = (bps: number, micros: number): number => Math.ceil((bps / 8) * (micros / 1_000_000));

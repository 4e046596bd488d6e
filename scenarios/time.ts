/**
 * Times as people write them in a scenario: "300us", "20ms", "1.5s", "2min", "1h", or a whole number of microseconds.
 * Expanded scenarios hold only the latter.
 */

/** What a written time looks like; also the `pattern` of the JSON Schema. */
export const TIME_PATTERN: RegExp = /^\d+(\.\d+)? ?(us|ms|s|min|h)$/;

/** A time as written: microseconds, or text that TIME_PATTERN matches. */
export type Time = number | string;

const MICROS_PER_UNIT: ReadonlyMap<string, number> = new Map([
  ["us", 1],
  ["ms", 1_000],
  ["s", 1_000_000],
  ["min", 60_000_000],
  ["h", 3_600_000_000],
]);

/**
 * Whole microseconds >= 0; undefined for text without a known unit, a negative number, or a time that is not a whole number
 * of microseconds ("0.5us"). Never throws.
 */
export function parseTime(written: Time): number | undefined {
  if (typeof written === "number") return Number.isSafeInteger(written) && written >= 0 ? written : undefined;
  const match = TIME_PATTERN.exec(written);
  const scale = MICROS_PER_UNIT.get(match?.[2] ?? "");
  if (match === null || scale === undefined) return undefined;
  const exact = Number.parseFloat(written) * scale;
  const whole = Math.round(exact);
  // "1.1s" is 1100000.0000000002 in binary: accept what rounding explains, refuse a real fraction of a microsecond.
  if (Math.abs(exact - whole) > 1e-6 * Math.max(1, whole / 1e6) || !Number.isSafeInteger(whole)) return undefined;
  return whole;
}

/** The shortest way to write whole microseconds >= 0 exactly: `1.5s`, `20ms`, `300us`; `parseTime` reads it back. */
export function formatTime(micros: number): string {
  if (micros >= 1_000_000 && micros % 1_000 === 0) return `${micros / 1_000_000}s`;
  if (micros >= 1_000 && micros % 10 === 0) return `${micros / 1_000}ms`;
  return micros === 0 ? "0s" : `${micros}us`;
}

/**
 * Units carried by numbers: branded integers that keep a length of time from being passed where a rate is meant.
 * Brands guard function boundaries only; arithmetic across brands belongs in the functions below.
 */
declare const unit: unique symbol;
type Unit<Name extends string> = number & { readonly [unit]: Name };

/** A length of time in whole microseconds. */
export type Micros = Unit<"Micros">;
/** A point in time: whole microseconds since the run began. */
export type Instant = Unit<"Instant">;
/** A count of octets. */
export type Bytes = Unit<"Bytes">;
/** A data rate in bits per second. */
export type BitsPerSecond = Unit<"BitsPerSecond">;
/** A share between 0 and 1, both included. */
export type Ratio = Unit<"Ratio">;

const whole = (name: string, value: number): number => {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${name}: want a whole number >= 0, got ${value}`);
  return value;
};

/** Throws RangeError unless `value` is a whole number of microseconds >= 0. */
export const Micros = (value: number): Micros => whole("Micros", value) as Micros;
/** Microseconds from milliseconds, rounded to the nearest. */
export const millis = (value: number): Micros => Micros(Math.round(value * 1_000));
/** Microseconds from seconds, rounded to the nearest. */
export const seconds = (value: number): Micros => Micros(Math.round(value * 1_000_000));
/** Milliseconds as a plain number, for JSON edges whose field name ends in `Ms`. */
export const toMillis = (value: Micros | Instant): number => value / 1_000;

/** Throws RangeError unless `value` is a whole number >= 0. */
export const Bytes = (value: number): Bytes => whole("Bytes", value) as Bytes;
/** Throws RangeError unless `value` is a whole number >= 0. */
export const BitsPerSecond = (value: number): BitsPerSecond => whole("BitsPerSecond", value) as BitsPerSecond;
/** Throws RangeError unless `value` lies in 0..1. */
export const Ratio = (value: number): Ratio => {
  if (!(value >= 0 && value <= 1)) throw new RangeError(`Ratio: want 0..1, got ${value}`);
  return value as Ratio;
};

type InstantUnit = {
  (value: number): Instant;
  /** `length` after `at`. */
  after(at: Instant, length: Micros): Instant;
  /** How long from `from` to `to`; 0 when `to` is the earlier one. */
  between(from: Instant, to: Instant): Micros;
  /** The earliest of those that are set. Fixed parameters, since machines ask after every input: a rest parameter is an array each time. */
  earliest(a?: Instant, b?: Instant, c?: Instant, d?: Instant): Instant | undefined;
};

const earlier = (a: Instant | undefined, b: Instant | undefined): Instant | undefined =>
  a === undefined || (b !== undefined && b < a) ? b : a;

export const Instant: InstantUnit = Object.assign((value: number): Instant => whole("Instant", value) as Instant, {
  after: (at: Instant, length: Micros): Instant => (at + length) as Instant,
  between: (from: Instant, to: Instant): Micros => Math.max(0, to - from) as Micros,
  earliest: (a?: Instant, b?: Instant, c?: Instant, d?: Instant): Instant | undefined => earlier(earlier(a, b), earlier(c, d)),
});

/** How long `bytes` take on a link of `rate`, rounded up to a whole microsecond. */
export const transmissionTime = (bytes: Bytes, rate: BitsPerSecond): Micros => Math.ceil((bytes * 8_000_000) / rate) as Micros;

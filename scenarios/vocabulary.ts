/** The zod schemas that every part of the scenario language is made of: strict objects, times, rates, shares, names. */
import { z } from "zod";
import { RATE_PATTERN, type Rate } from "./rate.ts";
import { whatWouldBeRight } from "./suggestion.ts";
import { parseTime, TIME_PATTERN, type Time } from "./time.ts";

/** An object that refuses unknown keys and says which known one is nearest. */
export function strict<Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? whatWouldBeRight(issue.keys?.[0] ?? "", known) : undefined),
  });
}

/** What a time looks like, for messages. */
export const A_TIME = 'a time such as "300us", "20ms", "1.5s" or "2min", or whole microseconds';

/** A time as written; a whole number of microseconds once read. */
export const time: z.ZodType<Time, Time> = z
  .union([z.int({ error: A_TIME }).min(0), z.string().regex(TIME_PATTERN, { error: A_TIME })], { error: A_TIME })
  .refine((written) => parseTime(written) !== undefined, { error: A_TIME })
  .meta({ id: "time", description: A_TIME });

const A_RATE = 'a rate such as "300kbit" or "1.5Mbit", or whole bits per second above 0';

/** A data rate as written. */
export const rate: z.ZodType<Rate, Rate> = z
  .union([z.int({ error: A_RATE }).min(1), z.string().regex(RATE_PATTERN, { error: A_RATE })], { error: A_RATE })
  .meta({ id: "rate", description: A_RATE });

/** A share or probability, 0..1. */
export const share: z.ZodType<number, number> = z.number().min(0).max(1).meta({ id: "share" });

const A_NAME = "1 to 32 small letters, digits and hyphens, a letter first";

/** The name of a scenario, party, NAT or interface: `r1`, `alice`, `hotel-wifi`. */
export const name: z.ZodType<string, string> = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, { error: A_NAME })
  .meta({ id: "name", description: A_NAME });

/** An object of named things. */
export const named = <T>(value: z.ZodType<T, T>): z.ZodType<Readonly<Record<string, T>>, Readonly<Record<string, T>>> =>
  z.record(name, value) as unknown as z.ZodType<Readonly<Record<string, T>>, Readonly<Record<string, T>>>;

/** One sentence for a reader. */
export const sentence: z.ZodType<string, string> = z.string().min(1).max(300);

/** `delay` after the `nth` log record whose fields all equal those of `match`, as written. */
export type After = {
  readonly match: Readonly<Record<string, string | number | boolean>>;
  readonly nth?: number | undefined;
  readonly delay?: Time | undefined;
};

/** A trigger as written. */
export const after: z.ZodType<After, After> = strict({
  match: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  nth: z.int().min(1).optional(),
  delay: time.optional(),
}) as unknown as z.ZodType<After, After>;

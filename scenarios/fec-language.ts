/** Forward error correction as a scenario writes it, for all clients or for one: what is left out is the plain case. */
import { z } from "zod";
import {
  type FecScheme,
  MAX_PERCENT,
  MAX_RED_DEPTH,
  MAX_RED_DISTANCE,
  MAX_SPAN,
  MAX_WINDOW,
  NO_FEC,
  wantScheme,
} from "../impl/base/fec-scheme.ts";
import type { Complaints } from "./complaints.ts";
import type { Place } from "./problem.ts";
import { strict } from "./vocabulary.ts";

/** A scheme as written; `adaptive` begins with none and follows the link: `{ scheme: "red", depth: 2 }`, `{ scheme: "rs", source: 4, repair: 4, interleave: 3 }`. */
export type WrittenFec =
  | { readonly scheme: "none" | "adaptive" }
  | { readonly scheme: "red"; readonly depth?: number | undefined; readonly apart?: number | undefined }
  | {
      readonly scheme: "xor";
      readonly protects?: "rows" | "columns" | "both" | undefined;
      readonly length: number;
      readonly rows?: number | undefined;
    }
  | {
      readonly scheme: "rs" | "raptorq";
      readonly source: number;
      readonly repair: number;
      readonly interleave?: number | undefined;
      readonly leaves?: "at-once" | "spread" | "aboard" | undefined;
    }
  | { readonly scheme: "rlc"; readonly window: number; readonly percent: number };

const packets = z.int().min(1).max(MAX_SPAN);

/** The schema of `fec`; what ranges allow together is `readFec`'s to say. */
export const fec: z.ZodType<WrittenFec, WrittenFec> = z
  .discriminatedUnion("scheme", [
    strict({ scheme: z.enum(["none", "adaptive"]) }),
    strict({
      scheme: z.literal("red"),
      depth: z.int().min(1).max(MAX_RED_DEPTH).optional(),
      apart: z.int().min(1).max(MAX_RED_DISTANCE).optional(),
    }),
    strict({
      scheme: z.literal("xor"),
      protects: z.enum(["rows", "columns", "both"]).optional(),
      length: packets,
      rows: packets.optional(),
    }),
    strict({
      scheme: z.enum(["rs", "raptorq"]),
      source: packets,
      repair: packets,
      interleave: packets.optional(),
      leaves: z.enum(["at-once", "spread", "aboard"]).optional(),
    }),
    strict({
      scheme: z.literal("rlc"),
      window: z.int().min(1).max(MAX_WINDOW),
      percent: z.int().min(1).max(MAX_PERCENT),
    }),
  ])
  .meta({ id: "fec" }) as unknown as z.ZodType<WrittenFec, WrittenFec>;

/** The scheme in full; `none`, with a complaint, when its numbers do not go together. */
export function readFec(written: WrittenFec, place: Place, complain: Complaints): FecScheme {
  try {
    return wantScheme(filledIn(written));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    complain.say(place, error.message);
    return NO_FEC;
  }
}

function filledIn(written: WrittenFec): FecScheme {
  switch (written.scheme) {
    case "none":
    case "adaptive":
      return NO_FEC;
    case "red":
      return { scheme: "red", depth: written.depth ?? 1, ...((written.apart ?? 1) > 1 ? { apart: written.apart ?? 1 } : {}) };
    case "xor": {
      const { length, rows = 1 } = written;
      return { scheme: "xor", protects: written.protects ?? (rows > 1 ? "both" : "rows"), length, rows };
    }
    case "rlc":
      return written;
    case "rs":
    case "raptorq": {
      const { scheme, source, repair, interleave = 1, leaves = "at-once" } = written;
      return { scheme, source, repair, interleave, leaves };
    }
  }
}

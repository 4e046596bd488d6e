/**
 * The forward error correction schemes a sender can be told to use. Packets are counted here, not time: a packet carries 20 ms unless it
 * bundles. What each lays over which packets: impl/core/fec/scheme.ts.
 *
 * - `red`: every packet carries the frames of the `depth` packets before it again (RFC 2198): no packets more, any burst up to `depth`. With
 *   `apart` those of every `apart`-th packet before it: a copy that far away outlives a burst that takes the packets between.
 * - `xor`: parity of `length` packets in a row, of every `length`-th packet over `rows` rows, or of both (RFC 8627's 1-D and 2-D).
 * - `rs`, `raptorq`: `repair` packets for every `source` ones. `interleave`: so many blocks take turns, which spreads a burst over them.
 *   `leaves`: repair is sent all at once when its block is complete; or `spread`, one by one beside later media, so that one burst does not
 *   take it all; or `aboard` later media packets, which costs no headers.
 * - `rlc`: every packet carries repair over the `window` packets before it (a sliding window, RFC 8681), `percent` of what it protects. No block has
 *   to end and no loss meets the edge of one, so at equal rate and delay it gives back more than blocks do.
 */

export type FecScheme =
  | { readonly scheme: "none" }
  | { readonly scheme: "red"; readonly depth: number /** Packets between the copies; 1 unless told. */; readonly apart?: number }
  | { readonly scheme: "xor"; readonly protects: "rows" | "columns" | "both"; readonly length: number; readonly rows: number }
  | {
      readonly scheme: "rs" | "raptorq";
      readonly source: number;
      readonly repair: number;
      readonly interleave: number;
      readonly leaves: "at-once" | "spread" | "aboard";
    }
  | { readonly scheme: "rlc"; readonly window: number; readonly percent: number };

/** Nothing is sent twice. What the codec does inside its frames (LBRR) is its own. */
export const NO_FEC: FecScheme = { scheme: "none" };

/** Deepest RED. chosen: 4 packets are 80 ms of delay and five times the payload; beyond that block codes do more for less. */
export const MAX_RED_DEPTH = 4;
/** Packets from the oldest copy to its carrier at most: what four bits hold (impl/core/fec/redundant-payload.ts), 300 ms at 20 ms. */
export const MAX_RED_DISTANCE = 15;
/** Packets that repair of a sliding window reaches back at most: what four bits hold (impl/core/fec/sliding-payload.ts). */
export const MAX_WINDOW = 15;
/** Repair of a sliding window at most. chosen: four times what it protects, as the deepest RED. */
export const MAX_PERCENT = 400;
/** Packets from the first to the last of a block at most. chosen: at 20 ms more than a second and a quarter, longer than any playout delay. */
export const MAX_SPAN = 64;

/** As people write it: `red 2`, `xor 5x4`, `rs 5+3 x2 spread`, `rlc 10 at 85 %`. */
export function nameOfScheme(scheme: FecScheme): string {
  switch (scheme.scheme) {
    case "none":
      return "none";
    case "red":
      return `red ${scheme.depth}${(scheme.apart ?? 1) > 1 ? ` apart ${scheme.apart}` : ""}`;
    case "xor":
      return scheme.protects === "both"
        ? `xor ${scheme.length}x${scheme.rows}`
        : scheme.protects === "rows"
          ? `xor row ${scheme.length}`
          : `xor column ${scheme.length}x${scheme.rows}`;
    case "rlc":
      return `rlc ${scheme.window} at ${scheme.percent} %`;
    case "rs":
    case "raptorq":
      return `${scheme.scheme} ${scheme.source}+${scheme.repair}${scheme.interleave > 1 ? ` x${scheme.interleave}` : ""}${scheme.leaves === "at-once" ? "" : ` ${scheme.leaves}`}`;
  }
}

/** The scheme itself. RangeError naming the field and the value when something in it is out of range. */
export function wantScheme(scheme: FecScheme): FecScheme {
  const want = (name: string, value: number, least: number, most: number): void => {
    if (!(Number.isInteger(value) && value >= least && value <= most)) {
      throw new RangeError(`fec.${name}: want a whole number in ${least}..${most}, got ${value}`);
    }
  };
  if (scheme.scheme === "red") {
    want("depth", scheme.depth, 1, MAX_RED_DEPTH);
    want("depth x apart", scheme.depth * (scheme.apart ?? 1), 1, MAX_RED_DISTANCE);
  } else if (scheme.scheme === "xor") {
    want("length", scheme.length, scheme.protects === "columns" ? 1 : 2, MAX_SPAN);
    want("rows", scheme.rows, scheme.protects === "rows" ? 1 : 2, MAX_SPAN);
    if (scheme.protects !== "rows") want("length x rows", scheme.length * scheme.rows, 2, MAX_SPAN);
  } else if (scheme.scheme === "rlc") {
    want("window", scheme.window, 1, MAX_WINDOW);
    want("percent", scheme.percent, 1, MAX_PERCENT);
  } else if (scheme.scheme !== "none") {
    want("source", scheme.source, 1, MAX_SPAN);
    want("repair", scheme.repair, 1, MAX_SPAN);
    want("interleave", scheme.interleave, 1, MAX_SPAN);
    want("source x interleave", scheme.source * scheme.interleave, 1, MAX_SPAN);
  }
  return scheme;
}

/** Words in capability lists (`fec` of DirectCallOffer and DirectCallAnswer): what a party can make use of when it is sent it. */
export type FecName = Exclude<FecScheme["scheme"], "none">;

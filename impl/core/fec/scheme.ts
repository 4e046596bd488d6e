/**
 * The forward error correction schemes a sender can be told to use, what each lays over which frames, and how much later than its own packet a
 * lost frame can still come. Packets are counted here, not time: a packet carries 20 ms unless it bundles.
 *
 * - `red`: every packet carries the frames of the `depth` packets before it again (RFC 2198): no packets more, any burst up to `depth`.
 * - `xor`: parity of `length` packets in a row, of every `length`-th packet over `rows` rows, or of both (RFC 8627's 1-D and 2-D).
 * - `rs`, `raptorq`: `repair` packets for every `source` ones. `interleave`: so many blocks take turns, which spreads a burst over them.
 *   `spread`: repair leaves one by one with later media instead of all at once, so that one burst does not take it all.
 */
import type { BlockCodeName } from "./block-code.ts";

export type FecScheme =
  | { readonly scheme: "none" }
  | { readonly scheme: "red"; readonly depth: number }
  | { readonly scheme: "xor"; readonly protects: "rows" | "columns" | "both"; readonly length: number; readonly rows: number }
  | {
      readonly scheme: "rs" | "raptorq";
      readonly source: number;
      readonly repair: number;
      readonly interleave: number;
      readonly spread: boolean;
    };

/** Nothing is sent twice. What the codec does inside its frames (LBRR) is its own. */
export const NO_FEC: FecScheme = { scheme: "none" };

/** Deepest RED. chosen: 4 packets are 80 ms of delay and five times the payload; beyond that block codes do more for less. */
export const MAX_RED_DEPTH = 4;
/** Packets from the first to the last of a block at most. chosen: at 20 ms more than a second and a quarter, longer than any playout delay. */
export const MAX_SPAN = 64;

/** Blocks that take turns: packet n of a run goes to the lane's block n mod `stride`; a block is done after `source` packets. */
export type Lane = {
  readonly code: BlockCodeName;
  readonly stride: number;
  readonly source: number;
  readonly repair: number;
};

/** What block codes are laid over which packets; empty for `none` and `red`. */
export function lanesOf(scheme: FecScheme): readonly Lane[] {
  switch (scheme.scheme) {
    case "none":
    case "red":
      return [];
    case "xor": {
      const rows: Lane = { code: "xor", stride: 1, source: scheme.length, repair: 1 };
      const columns: Lane = { code: "xor", stride: scheme.length, source: scheme.rows, repair: 1 };
      return scheme.protects === "rows" ? [rows] : scheme.protects === "columns" ? [columns] : [rows, columns];
    }
    case "rs":
    case "raptorq":
      return [{ code: scheme.scheme, stride: scheme.interleave, source: scheme.source, repair: scheme.repair }];
  }
}

/** Repair packets that may leave with one media packet: all when they are not spread, else what keeps up with the blocks. */
export const repairsATick = (scheme: FecScheme): number =>
  (scheme.scheme === "rs" || scheme.scheme === "raptorq") && scheme.spread
    ? Math.ceil(scheme.repair / scheme.source)
    : Number.POSITIVE_INFINITY;

/**
 * How many packet times after its own packet a lost frame comes back at the latest, on a link without jitter. The receiver holds every frame
 * that long beyond what jitter asks for, or recovery comes too late.
 */
export function holdOf(scheme: FecScheme): number {
  switch (scheme.scheme) {
    case "none":
      return 0;
    case "red":
      return scheme.depth;
    case "xor":
      if (scheme.protects === "rows") return scheme.length - 1;
      // A frame may come back by its row only after a column gave back the row's other lost one.
      return scheme.protects === "columns" ? (scheme.rows - 1) * scheme.length : scheme.rows * scheme.length - 1;
    case "rs":
    case "raptorq": {
      const { source, repair, interleave } = scheme;
      const rate = repairsATick(scheme);
      // The blocks of all lanes end in successive ticks and share the queue.
      const queued = rate === Number.POSITIVE_INFINITY ? 0 : Math.ceil((interleave * repair) / rate) - interleave;
      const own = rate === Number.POSITIVE_INFINITY ? 0 : Math.ceil(repair / rate) - 1;
      return (source - 1) * interleave + Math.max(queued, own);
    }
  }
}

/** Redundant octets for every octet of media at equal frame sizes, headers left out. */
export const redundancyOf = (scheme: FecScheme): number =>
  scheme.scheme === "red" ? scheme.depth : lanesOf(scheme).reduce((sum, lane) => sum + lane.repair / lane.source, 0);

/** As people write it: `red 2`, `xor 5x4`, `rs 5+3 x2 spread`. */
export function nameOf(scheme: FecScheme): string {
  switch (scheme.scheme) {
    case "none":
      return "none";
    case "red":
      return `red ${scheme.depth}`;
    case "xor":
      return scheme.protects === "both"
        ? `xor ${scheme.length}x${scheme.rows}`
        : scheme.protects === "rows"
          ? `xor row ${scheme.length}`
          : `xor column ${scheme.length}x${scheme.rows}`;
    case "rs":
    case "raptorq":
      return `${scheme.scheme} ${scheme.source}+${scheme.repair}${scheme.interleave > 1 ? ` x${scheme.interleave}` : ""}${scheme.spread ? " spread" : ""}`;
  }
}

/** The scheme itself. RangeError naming the field and the value when something in it is out of range. */
export function wantScheme(scheme: FecScheme): FecScheme {
  const want = (name: string, value: number, least: number, most: number): void => {
    if (!(Number.isInteger(value) && value >= least && value <= most)) {
      throw new RangeError(`fec.${name}: want a whole number in ${least}..${most}, got ${value}`);
    }
  };
  if (scheme.scheme === "red") want("depth", scheme.depth, 1, MAX_RED_DEPTH);
  else if (scheme.scheme === "xor") {
    want("length", scheme.length, scheme.protects === "columns" ? 1 : 2, MAX_SPAN);
    want("rows", scheme.rows, scheme.protects === "rows" ? 1 : 2, MAX_SPAN);
    if (scheme.protects !== "rows") want("length x rows", scheme.length * scheme.rows, 2, MAX_SPAN);
  } else if (scheme.scheme !== "none") {
    want("source", scheme.source, 1, MAX_SPAN);
    want("repair", scheme.repair, 1, MAX_SPAN);
    want("interleave", scheme.interleave, 1, MAX_SPAN);
    want("source x interleave", scheme.source * scheme.interleave, 1, MAX_SPAN);
  }
  return scheme;
}

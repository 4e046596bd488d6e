/**
 * What each forward error correction scheme lays over which packets, and how much later than its own packet a lost frame can still come.
 * The schemes themselves: impl/base/fec-scheme.ts.
 */
import type { FecScheme } from "../../base/fec-scheme.ts";
import type { BlockCodeName } from "./block-code.ts";

/** Blocks that take turns: packet n of a run goes to the lane's block n mod `stride`; a block is done after `source` packets. */
export type Lane = {
  readonly code: BlockCodeName;
  readonly stride: number;
  readonly source: number;
  readonly repair: number;
};

/** What block codes are laid over which packets; empty for `none`, `red` and `rlc`. */
export function lanesOf(scheme: FecScheme): readonly Lane[] {
  switch (scheme.scheme) {
    case "none":
    case "red":
    case "rlc":
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
  (scheme.scheme === "rs" || scheme.scheme === "raptorq") && scheme.leaves !== "at-once"
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
      return scheme.depth * (scheme.apart ?? 1);
    case "rlc":
      return scheme.window;
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
export function redundancyOf(scheme: FecScheme): number {
  if (scheme.scheme === "red") return scheme.depth;
  if (scheme.scheme === "rlc") return scheme.percent / 100;
  return lanesOf(scheme).reduce((sum, lane) => sum + lane.repair / lane.source, 0);
}

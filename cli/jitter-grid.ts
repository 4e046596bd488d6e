/** The grid's links (cli/fec-grid.ts) through every jitter buffer: `midcall bench jitter --grid`. The sender expects the loss there is, at most 20 %, as Chromium's does. */
import { FRAME_MICROS } from "../impl/core/codec.ts";
import type { JitterFigure } from "../reports/jitter-page.ts";
import { benchJitter, PACKETS, SEEDS } from "./bench-jitter.ts";
import { GRID, type GridLink } from "./fec-grid.ts";
import type { Condition } from "./jitter-conditions.ts";

/** Time on the way without jitter; nothing depends on it. */
const BASE = 20_000;

/** What an encoder may be told to expect. chosen: where libopus does something else (no LBRR, at the same bandwidth, at a lower one, at most). */
const DECLARED: readonly number[] = [20, 10, 5, 0];

/** A link of the grid as a condition of `bench jitter`. */
export function conditionOf({ name, start }: GridLink): Condition {
  const delays: Condition["delays"] = (seed, packets) => {
    const fate = start(seed);
    return Float64Array.from({ length: packets }, (_, i) => {
      const wait = fate(i * FRAME_MICROS);
      return wait < 0 ? -1 : BASE + wait;
    });
  };
  const lost = (100 * delays(1, PACKETS).reduce((sum, delay) => sum + (delay < 0 ? 1 : 0), 0)) / PACKETS;
  return { name, declaredLossPercent: DECLARED.find((percent) => percent <= Math.round(lost)) ?? 0, delays };
}

/** Every buffer on the link of that name. RangeError when the grid has none. */
export async function jitterGrid(link: string, seeds: number = SEEDS.length): Promise<readonly JitterFigure[]> {
  const found = GRID.find(({ name }) => name === link);
  if (found === undefined) throw new RangeError(`link: want one of the grid's, got ${link}`);
  return benchJitter(
    () => undefined,
    Array.from({ length: seeds }, (_, i) => i + 1),
    [conditionOf(found)],
  );
}

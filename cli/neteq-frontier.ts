/**
 * Delay against concealment. One buffer is one point, and of two points that are each better in one thing neither wins. So ours is run with several prices of loss (JitterOptions), and
 * the points are joined: what it conceals at the other's delay, and the delay it has at the other's concealment, can be read from the line.
 */
import { LOSS_PRICE } from "../impl/core/neteq/delay-target.ts";
import type { Listened } from "./neteq-trial.ts";

/** Microseconds of delay for one percent of loss. chosen: nothing, and two steps of two to each side of the usual. */
export const PRICES: readonly number[] = [0, 1 / 4, 1 / 2, 1, 2, 4].map((times) => times * LOSS_PRICE);

/** What ours does at a price: concealed percent and mean delay in milliseconds, each the mean of all seeds. */
export type Point = Pick<Listened, "concealed" | "delayMs">;

/** By delay; a point that conceals more than one with less delay is none of the line. */
function frontier(points: readonly Point[]): readonly Point[] {
  const line: Point[] = [];
  for (const point of points.toSorted((a, b) => a.delayMs - b.delayMs || a.concealed - b.concealed))
    if (point.concealed < (line.at(-1)?.concealed ?? Number.POSITIVE_INFINITY)) line.push(point);
  return line;
}

const between = (x: number, [x0, y0]: readonly [number, number], [x1, y1]: readonly [number, number]): number =>
  y0 + ((x - x0) * (y1 - y0)) / (x1 - x0);

/** Percent concealed at a mean delay of `delayMs`; undefined when all points have more delay. */
export function concealedAt(points: readonly Point[], delayMs: number): number | undefined {
  const line = frontier(points);
  const after = line.findIndex((one) => one.delayMs > delayMs);
  const [left, right] = [line.at(after === -1 ? -1 : after - 1), line[after]];
  if (after === 0 || left === undefined) return undefined;
  if (right === undefined) return left.concealed;
  return between(delayMs, [left.delayMs, left.concealed], [right.delayMs, right.concealed]);
}

/** Least mean delay, milliseconds, at which no more than `concealed` percent are; undefined when no point conceals so little. */
export function delayAt(points: readonly Point[], concealed: number): number | undefined {
  const line = frontier(points);
  const at = line.findIndex((one) => one.concealed <= concealed);
  const [left, right] = [line[at - 1], line[at]];
  if (right === undefined) return undefined;
  if (left === undefined) return right.delayMs;
  return between(concealed, [left.concealed, left.delayMs], [right.concealed, right.delayMs]);
}

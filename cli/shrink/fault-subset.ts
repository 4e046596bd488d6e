/** A scenario with only some of its faults: whatever names a fault by its position is put right. */
import type { Expectation, Fault, Scenario } from "../../scenarios/expanded.ts";

/**
 * `scenario` with the faults at the positions of `keep` (ascending). An expectation about a fault that is gone goes with it; a
 * trigger that waits for one never fires any more.
 */
export function keepFaults(scenario: Scenario, keep: readonly number[]): Scenario {
  const position = (before: number): number => keep.indexOf(before);
  const faults = keep.flatMap((index): Fault[] => {
    const fault = scenario.faults[index];
    if (fault === undefined) return [];
    if (!("after" in fault.when) || typeof fault.when.after.match.fault !== "number") return [fault];
    const now = position(fault.when.after.match.fault);
    // A position past the end matches no record: the trigger stays, and stays quiet.
    const match = { ...fault.when.after.match, fault: now === -1 ? scenario.faults.length : now };
    return [{ ...fault, when: { after: { ...fault.when.after, match } } }];
  });
  const expect = scenario.expect.flatMap((one): Expectation[] => {
    if (typeof one.fault !== "number") return [one];
    const now = position(one.fault);
    return now === -1 ? [] : [{ ...one, fault: now }];
  });
  return { ...scenario, faults, expect };
}

/**
 * Delta debugging (Zeller and Hildebrandt 2002, ddmin): a subset of `items` that still passes `isEnough` and of which no single item can be
 * left out. `items` itself passes. Tests come one after another, in an order that depends on their answers alone.
 */
export async function ddmin<T>(items: readonly T[], isEnough: (some: readonly T[]) => Promise<boolean>): Promise<readonly T[]> {
  let left = items;
  let parts = 2;
  while (left.length >= 2) {
    const size = Math.ceil(left.length / parts);
    const chunks = Array.from({ length: Math.ceil(left.length / size) }, (_, i) => left.slice(i * size, (i + 1) * size));
    const smaller = await first(
      [...(parts === 2 ? [] : chunks), ...chunks.map((_, i) => chunks.flatMap((chunk, j) => (i === j ? [] : chunk)))],
      isEnough,
    );
    if (smaller !== undefined) {
      parts = Math.max(2, Math.min(parts - 1, smaller.length));
      if (smaller.length <= size) parts = 2;
      left = smaller;
    } else if (size === 1) break;
    else parts = Math.min(left.length, 2 * parts);
  }
  if (left.length === 1 && (await isEnough([]))) return [];
  return left;
}

async function first<T>(
  candidates: readonly (readonly T[])[],
  isEnough: (some: readonly T[]) => Promise<boolean>,
): Promise<readonly T[] | undefined> {
  for (const candidate of candidates) if (await isEnough(candidate)) return candidate;
  return undefined;
}

/** What jitter buffers cost, with room for a machine that does other things too: processor time, not time by the clock. */
import { expect, test } from "vitest";
import { benchJitterCost } from "./bench-jitter-cost.ts";

const costs = await benchJitterCost();

test.each(costs.map((one) => [one.buffer, one] as const))(
  "%s takes less than two hundredths of a core, and holds on to nothing over an hour",
  (_, { frameUs, streamPercent, hourBytes }) => {
    expect(frameUs).toBeGreaterThan(0);
    expect(streamPercent).toBeLessThan(2);
    // chosen: what a heap moves by itself; one frame in a hundred kept would be 4 MB.
    expect(hourBytes).toBeLessThan(500_000);
  },
);

import fc from "fast-check";
import { expect, test } from "vitest";
import { Instant } from "../../impl/base/units.ts";
import { Bottleneck } from "./bottleneck.ts";

test("packets leave one after the other at exactly the rate, and tail drop begins when the queue's bytes are used", () => {
  const line = new Bottleneck();
  const rate = { bps: 1_000_000, queueBytes: 3_000 }; // 1000 octets take 8 ms
  const departures = [0, 0, 0, 0].map((now) => line.offer(Instant(now), 1_000, rate));
  expect(departures).toEqual([8_000, 16_000, 24_000, undefined]);
  // At 7.999 ms 2000.125 octets remain: a fourth packet does not fit yet; at 8 ms exactly 2000 do, and it fits to the octet.
  expect(line.offer(Instant(7_999), 1_000, rate)).toBeUndefined();
  expect(line.offer(Instant(8_000), 1_000, rate)).toBe(32_000);
  expect(line.offer(Instant(8_000), 1, rate)).toBeUndefined();
});

test("an idle line accepts a packet larger than its queue; a rate of zero accepts none", () => {
  const line = new Bottleneck();
  expect(line.offer(Instant(5), 1_000, { bps: 8_000_000, queueBytes: 10 })).toBe(1_005);
  expect(line.offer(Instant(5), 1, { bps: 8_000_000, queueBytes: 10 })).toBeUndefined();
  expect(line.offer(Instant(1_005), 1_000, { bps: 8_000_000, queueBytes: 10 })).toBe(2_005);
  expect(new Bottleneck().offer(Instant(0), 1, { bps: 0, queueBytes: 1_000 })).toBeUndefined();
});

test("rounding never adds up: n packets leave after exactly the time of all their bits", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 9_600, max: 1_000_000_000 }),
      fc.array(fc.integer({ min: 1, max: 1_500 }), { minLength: 1 }),
      (bps, sizes) => {
        const line = new Bottleneck();
        let bits = 0n;
        for (const bytes of sizes) {
          bits += BigInt(bytes) * 8n;
          const exact = (bits * 1_000_000n + BigInt(bps) - 1n) / BigInt(bps);
          expect(line.offer(Instant(0), bytes, { bps, queueBytes: 1e9 })).toBe(Number(exact));
        }
      },
    ),
    { seed: 2, numRuns: 300 },
  );
});

test("a long busy period keeps the exact rate", () => {
  const line = new Bottleneck();
  let last: number | undefined;
  for (let i = 0; i < 100_000; i++) last = line.offer(Instant(i * 1_000), 125, { bps: 999_999, queueBytes: 1e9 });
  expect(last).toBe(Number((100_000n * 1_000n * 1_000_000n + 999_998n) / 999_999n));
});

test("after a change of rate nothing leaves before what was accepted earlier, and the backlog drains at the new rate", () => {
  const line = new Bottleneck();
  const slow = { bps: 8_000, queueBytes: 2_000 }; // 1 octet a millisecond
  expect(line.offer(Instant(0), 1_000, slow)).toBe(1_000_000);
  expect(line.offer(Instant(0), 1_000, slow)).toBe(2_000_000);
  const fast = { bps: 8_000_000, queueBytes: 2_000 }; // 1 octet a microsecond
  expect(line.offer(Instant(0), 1, fast)).toBeUndefined();
  expect(line.offer(Instant(1_000), 1_000, fast)).toBe(2_000_000);
  expect(line.offer(Instant(1_999_990), 1_000, fast)).toBe(2_000_990);
});

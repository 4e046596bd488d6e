import { expect, test } from "vitest";
import { randomness } from "../../impl/base/random.ts";
import type { LinkModel } from "../../scenarios/expanded.ts";
import { CLEAN, type InForce, Link } from "../../scenarios/impairment/link.ts";
import { exactly, objection } from "./expressible.ts";

const inForce = (model: Partial<LinkModel>, ...overlays: readonly Partial<LinkModel>[]): InForce => {
  const link = new Link("alice/wlan0/up", { ...CLEAN, ...model }, randomness(1));
  for (const [fault, overlay] of overlays.entries()) link.lay(overlay, fault);
  return link.inForce;
};
const burst = { p: 0.1, r: 0.5, lossGood: 0, lossBad: 1 };

test.each([
  ["a clean link", inForce({}), true, true],
  ["loss, bursts and a drop list", inForce({ loss: 0.1, burst, drop: [3] }), true, true],
  ["a rate", inForce({ rate: { bps: 1_000_000, queueBytes: 10_000 } }), true, true],
  ["a delay", inForce({ delay: 1 }), true, false],
  ["duplication", inForce({ duplicate: 0.1 }), true, false],
  ["uniform jitter, order free", inForce({ delay: 9, jitter: 5, order: "free" }), true, false],
  ["jitter with the order kept", inForce({ delay: 9, jitter: 5 }), false, false],
  ["normal jitter", inForce({ delay: 9, jitter: 5, order: "free", jitterShape: "normal" }), false, false],
  ["reordering", inForce({ reorder: { share: 0.1, by: 9 } }), false, false],
  ["a trace", inForce({ trace: [0, -1] }), false, false],
  ["a drop list laid over bursts", inForce({ burst }, { drop: [1] }), true, true],
  ["two drop lists", inForce({}, { drop: [1] }, { drop: [2] }), false, false],
  ["an overlay's trace", inForce({}, { trace: [5] }), false, false],
])("%s: netem %s, nft %s", (_, of, netem, nft) => {
  expect(objection("netem", of) === undefined).toBe(netem);
  expect(objection("nft", of) === undefined).toBe(nft);
});

test("a token bucket is not exactly the model's transmitter, nor are bursts counted in packets those in time", () => {
  expect(exactly("netem", inForce({ delay: 20_000, loss: 0.1 }))).toBe(true);
  expect(exactly("netem", inForce({ delay: 20_000, rate: { bps: 1_000_000, queueBytes: 10_000 } }))).toBe(false);
  expect(exactly("netem", inForce({ trace: [1] }))).toBe(false);
  expect(exactly("netem", inForce({ burst }))).toBe(false);
  expect(exactly("nft", inForce({ loss: 0.1 }, { burst }))).toBe(false);
});

import { expect, it } from "vitest";
import { Refusals } from "./refusals.ts";

it("every refusal is counted, a flood is written at powers of two only, and reasons do not mix", () => {
  const refusals = new Refusals();
  let written = 0;
  for (let i = 0; i < 100_000; i++) if (refusals.note("malformed", "datagram") !== undefined) written++;
  expect(refusals.count("malformed")).toBe(100_000);
  expect(written).toBe(16 + 12); // 1..16 in full, then 32, 64, ... 65,536
  expect(refusals.note("replayed", "media packet")).toEqual({
    ev: "refused",
    reason: "replayed",
    what: "media packet",
    count: 1,
  });
});

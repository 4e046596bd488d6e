import { expect, test } from "vitest";
import { CLEAN } from "../../scenarios/impairment/link.ts";
import { netemFits } from "./attach.ts";

const model = { ...CLEAN, delay: 30_000, loss: 0.01 };

test("netem fits a model only with every overlay that may be laid, alone and together", () => {
  expect(netemFits(model, [])).toBe(true);
  expect(netemFits(model, [{ loss: 1 }, { delay: 90_000 }])).toBe(true);
  expect(netemFits(model, [{ loss: 1 }, { trace: [1, -1] }])).toBe(false);
  expect(netemFits(model, [{ drop: [1] }])).toBe(true);
  expect(netemFits(model, [{ drop: [1] }, { drop: [2] }])).toBe(false);
  expect(netemFits({ ...model, rate: { bps: 1_000_000, queueBytes: 20_000 } }, [])).toBe(false);
});

import { expect, test } from "vitest";
import type { JitterFigure } from "../reports/jitter-page.ts";
import { benchJitter, jitterTable } from "./bench-jitter.ts";

/** chosen: three of the command's five seeds, which take ten seconds. */
const figures = await benchJitter(() => undefined, [1, 2, 3]);
const rows = (buffer: string): readonly JitterFigure[] => figures.filter((one) => one.buffer === buffer);

/** Written anew by `npx vitest run cli/bench-jitter.test.ts -u`; what changes in it is a change of what listeners hear. */
test("the table of jitter buffers is the committed one", async () => {
  await expect(`${jitterTable(figures).join("\n")}\n`).toMatchFileSnapshot("../reports/golden/jitter-buffers.txt");
});

test.each(rows("neteq").flatMap((one) => (one.neteq === null ? [] : [[one.condition, one, one.neteq] as const])))(
  "%s: no more concealed than by Chromium's NetEq, at a delay at most 10 ms above",
  (_, one, neteq) => {
    // NetEq's figure is of one seed, and a tenth of a point is five frames.
    expect(one.concealed).toBeLessThanOrEqual(neteq.concealed + 0.1);
    expect(one.delayMs).toBeLessThanOrEqual(neteq.delayMs + 10);
  },
);

test("neteq conceals no more than ema, or keeps a shorter delay, under every condition", () => {
  const plain = new Map(rows("ema").map((one) => [one.condition, one]));
  for (const one of rows("neteq")) {
    const other = plain.get(one.condition);
    if (other === undefined) throw new Error(`ema was not measured under ${one.condition}`);
    expect(one.concealed <= other.concealed * 1.05 + 0.1 || one.delayMs < other.delayMs, one.condition).toBe(true);
    expect(one.stoi, one.condition).toBeGreaterThan(other.stoi - 0.02);
  }
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { noticeLine, progressLine } from "./terminal-lines.ts";

const NOW = { stage: "relay-restart sim seed 0x1", detail: "3s of 15s", share: 0.2 };

test.each([
  [120, NOW, "████░░░░░░░░░░░░░░░░ relay-restart sim seed 0x1 3s of 15s"],
  [48, NOW, "██░░░░░░░░░ relay-restart sim seed 0x1 3s of 15s"],
  [40, NOW, "relay-restart sim seed 0x1 3s of 15s"],
  [30, NOW, "relay-rest… seed 0x1 3s of 15s"],
  [60, { ...NOW, of: { at: 7, all: 60, bad: 2 } }, "███░░░░░░░░░░░░ 7/60 ✗2 relay-restart sim seed 0x1 3s of 15s"],
  [60, { ...NOW, of: { at: 1, all: 1, bad: 0 } }, "████░░░░░░░░░░░░░░░░ relay-restart sim seed 0x1 3s of 15s"],
])("on %d columns progress is %j", (columns, now, line) => {
  expect(progressLine(now, columns)).toBe(line);
});

test("on a narrow terminal a notice loses its blanks before its words, and says where it is cut", () => {
  const line = "  8.061 s  alice heard nothing for 3180 ms";
  expect(noticeLine(line, 72)).toBe(line);
  expect(noticeLine(line, 40)).toBe("8.061 s alice heard nothing for 3180 ms");
  expect(noticeLine(line, 30)).toBe("8.061 s alice heard nothing f…");
  expect(noticeLine("  5.000 s  ⚡ kill r1", 16)).toBe("5.000 s ⚡ kill…");
});

test("no line is ever wider than the terminal", () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.string(),
      fc.integer({ min: 8, max: 200 }),
      fc.double({ min: 0, max: 1 }),
      (stage, detail, columns, share) => {
        const isWhole = [...detail].length + 3 > columns;
        fc.pre(!isWhole);
        const of = { at: 1, all: 9, bad: 1 };
        for (const line of [
          progressLine({ stage, detail, share }, columns),
          progressLine({ stage, detail, of }, columns),
          noticeLine(stage, columns),
        ])
          expect([...line].length).toBeLessThanOrEqual(columns);
      },
    ),
  );
});

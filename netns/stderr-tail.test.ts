import { expect, test } from "vitest";
import { stderrTail } from "./stderr-tail.ts";

test("what fits is kept whole", () => {
  const tail = stderrTail();
  tail.add(Buffer.from("Error: one\n"));
  tail.add(Buffer.from("    at two\n"));
  expect(tail.text()).toBe("Error: one\n    at two");
});

test("of a flood the end is kept, and how much came before it is said", () => {
  const tail = stderrTail();
  for (let i = 0; i < 1_000; i++) tail.add(Buffer.from(`line ${String(i).padStart(4, "0")} ${"x".repeat(89)}\n`));
  expect(tail.text().length).toBeLessThan(8_300);
  expect(tail.text()).toMatch(/^\(91808 octets before this\)\n/);
  expect(tail.text()).toMatch(/line 0999 x+$/);
});

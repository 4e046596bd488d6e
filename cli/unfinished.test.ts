import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

/** What a process does that waits for a promise nobody keeps, and how it ends. */
const ended = (before: string): { readonly code: number | null; readonly told: string } => {
  const module = new URL("unfinished.ts", import.meta.url).href;
  const text = `import { tellUnfinished } from ${JSON.stringify(module)}; const finished = tellUnfinished(); ${before}`;
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", text], { encoding: "utf8" });
  return { code: status, told: stderr };
};

test("a command that waits for what never comes, with nothing left that could bring it, ends as a crash that says so", () => {
  const { code, told } = ended("await new Promise(() => undefined);");
  expect(told).toContain("nothing left to wait for");
  expect(code).toBe(4);
});

test("one that learns of it from the same event, and goes on, has not ended that way", () => {
  const { code, told } = ended(
    'await new Promise((go) => process.once("beforeExit", go)); finished(); console.error("went on");',
  );
  expect([code, told.trim()]).toEqual([0, "went on"]);
});

test("one that has ended says nothing", () => {
  expect(ended("finished();")).toEqual({ code: 0, told: "" });
});

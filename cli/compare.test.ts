import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EXIT } from "./exit.ts";
import { midcall } from "./recorded-terminal.fixture.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcall-compare-"));
  const fast = ["--codec", "sized", "--crypto", "null"];
  await midcall(folder, ["run", "relay-restart", ...fast]);
  await midcall(folder, ["run", "relay-restart", "--set", "faults.0.for=4s", ...fast]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const [BEFORE, AFTER] = ["out/relay-restart/sim-0x1", "out/relay-restart/sim-0x1-2"];

test("two runs of one scenario are told apart by what was changed, as Markdown and as JSON", async () => {
  const page = await midcall(folder, ["compare", BEFORE, AFTER]);
  expect(page.code).toBe(EXIT.held);
  expect(page.out).toContain(`# ${BEFORE} and ${AFTER}`);
  expect(page.out).toMatch(/\| kill r1: healedMs +\| 8000 ms +\| 9000 ms +\| \+1000 ms +\|/);
  const json = JSON.parse((await midcall(folder, ["compare", BEFORE, `${AFTER}/result.json`, "--json"])).out);
  expect(json).toMatchObject({ schema: "midcall/comparison@1", before: BEFORE });
  expect(json.differing).toContainEqual({
    ...{ group: "condition", name: "kill r1: healedMs", unit: "ms" },
    ...{ before: 8_000, after: 9_000, change: 1_000 },
  });
});

test("a run compared with itself: nothing differs, and --all shows what is the same", async () => {
  const none = await midcall(folder, ["compare", BEFORE, BEFORE]);
  expect(none.out).toMatch(/All \d+ figures are the same\.$/);
  expect((await midcall(folder, ["compare", BEFORE, BEFORE, "--all"])).out).toContain("## Audio");
});

test("what is no run's folder is the user's mistake", async () => {
  const said = await midcall(folder, ["compare", BEFORE, "out"]);
  expect(said.code).toBe(EXIT.usage);
  expect(said.err).toContain("result.json");
});

test("two campaigns are compared figure by figure, with intervals, as text and as a page", async () => {
  const fast = ["--codec", "sized", "--crypto", "null", "--repeat", "6"];
  await midcall(folder, ["run", "relay-restart", ...fast, "--out", "old"]);
  await midcall(folder, ["run", "relay-restart", ...fast, "--out", "new", "--set", "faults.0.for=4s"]);
  const said = await midcall(folder, ["compare", "old", "new", "--html", "campaigns.html"]);
  expect(said.out).toMatch(/alice longestGapMs +\| \d+ ms \(6\) +\| \d+ ms \(6\) +\| \+\d+ ms +\| \+\d+ ms to \+\d+ ms +\| more/);
  expect(said.out).toContain("6 held");
  const page = await readFile(join(folder, "campaigns.html"), "utf8");
  expect(page).toContain("figures changed");
  expect(page).toContain("<svg");
});

test("two runs as a page: side by side, and chance is named", async () => {
  const said = await midcall(folder, ["compare", BEFORE, AFTER, "--html", "runs.html"]);
  expect(said.out).toContain("chance was the same for both");
  const page = await readFile(join(folder, "runs.html"), "utf8");
  expect(page.match(/<svg/g)).toHaveLength(2);
  expect(page).toContain("kill r1: healedMs");
});

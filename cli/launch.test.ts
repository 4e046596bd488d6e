import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EXIT } from "./exit.ts";
import { midcallProcess } from "./recorded-terminal.fixture.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcall-launch-"));
  await writeFile(join(folder, "old.mjs"), OLD_NODE);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/**
 * Loaded before the launcher: makes this Node.js call itself 18, once. The one it hands over to is itself again.
 */
const OLD_NODE = `
if (process.env.PRETEND_OLD === "1") {
  delete process.env.PRETEND_OLD;
  Object.defineProperty(process.versions, "node", { value: "18.20.0" });
}
`;
const old = (): { node: string[]; env: NodeJS.ProcessEnv } => ({
  node: ["--import", pathToFileURL(join(folder, "old.mjs")).href],
  env: { PRETEND_OLD: "1" },
});

test("the executable prints the version and exits with the command's code", async () => {
  expect(await midcallProcess(folder, ["--version"])).toMatchObject({ code: EXIT.held, err: "" });
  expect(await midcallProcess(folder, ["nonsense"])).toMatchObject({ code: EXIT.usage, out: "" });
});

test("an older Node.js hands over to the one of the node package: output and exit code are the same", async () => {
  const direct = await midcallProcess(folder, ["list", "--json"]);
  expect(await midcallProcess(folder, ["list", "--json"], old())).toEqual(direct);
  expect(await midcallProcess(folder, ["run", "nonsense"], old())).toMatchObject({ code: EXIT.usage });
});

const LONG = ["run", "baseline", "--set", "duration=1h"];

test.each([
  ["SIGINT", EXIT.interrupted],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)("%s ends a run with its exit code and without a folder", async (signal, code) => {
  const said = await midcallProcess(folder, LONG, { stop: { signal, after: "baseline sim" } });
  expect(said).toMatchObject({ code, out: "" });
  expect(await readdir(join(folder, "out/baseline"))).toEqual([]);
});

test("a signal to the older Node.js reaches the newer one", async () => {
  const said = await midcallProcess(folder, LONG, { ...old(), stop: { signal: "SIGINT", after: "baseline sim" } });
  expect(said).toMatchObject({ code: EXIT.interrupted, out: "" });
  expect(await readdir(join(folder, "out/baseline"))).toEqual([]);
});

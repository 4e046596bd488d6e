/** The published package: packed, installed in an empty folder outside of the repository, and used from there. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const REPOSITORY = join(import.meta.dirname, "..");

type Ended = { readonly code: number; readonly out: string; readonly err: string };

const run = (program: string, words: readonly string[], cwd: string): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(program, words, { cwd, maxBuffer: 64 << 20, env: environment() }, (error, out, err) => {
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, out, err });
    });
  });

/** Without what `npm test` adds: the folder of the package must be on its own. */
const environment = (): NodeJS.ProcessEnv => {
  const path = (process.env.PATH ?? "").split(":").filter((folder) => !folder.includes("node_modules"));
  const kept = Object.entries(process.env).filter(([name]) => !/^npm_|^NODE_OPTIONS$|^INIT_CWD$/i.test(name));
  return { ...Object.fromEntries(kept), PATH: path.join(":"), NO_COLOR: "1" };
};

/** npm's ways to say that the registry cannot be reached. */
const OFFLINE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ENOTCACHED/;

let folder = "";
let packed: Ended;
let installed: Ended | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcall-pack-"));
  // Through npm run's PATH, so that the build finds Node.js 24.
  packed = await run("npm", ["pack", "--pack-destination", folder], REPOSITORY);
  const [tarball] = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
  if (packed.code !== 0 || tarball === undefined) return;
  await writeFile(join(folder, "package.json"), '{ "name": "outside", "private": true }\n');
  installed = await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", `./${tarball}`], folder);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test("the package builds and packs", () => {
  expect(packed.code).toBe(0);
});

test("the tarball holds compiled code and assets, and neither sources nor tests", async () => {
  const listing = await run("tar", ["-tzf", (await readdir(folder)).find((name) => name.endsWith(".tgz")) ?? ""], folder);
  const files = listing.out.split("\n").map((path) => path.replace(/^package\//, ""));
  for (const wanted of [
    "package.json",
    "README.md",
    "LICENSE",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "CHANGELOG.md",
    "docs/contract.md",
    "cli/midcall.mjs",
    "dist/build.json",
    "dist/cli/main.js",
    "dist/scenarios/index.js",
    "dist/cli/vitest.js",
    "dist/cli/vitest.d.ts",
    "dist/reports/page/report.js",
    "dist/scenarios/index.d.ts",
    "dist/scenarios/speech/speech-a.wav",
    "dist/scenarios/scenario.schema.json",
  ]) {
    expect(files).toContain(wanted);
  }
  expect(files.filter((path) => /\.(test|contract|fixture)\.|(?<!\.d)\.ts$/.test(path))).toEqual([]);
});

/** Skips when there was no registry to install from; fails when the installation itself went wrong. */
const wantInstalled = (context: { skip(reason: string): void }): void => {
  if (installed !== undefined && installed.code !== 0 && OFFLINE.test(installed.err))
    context.skip("the npm registry cannot be reached");
  expect(installed?.err).not.toContain("npm error");
  expect(installed?.code).toBe(0);
};

test("from an empty folder, a scenario of the catalogue runs and holds", async (context) => {
  wantInstalled(context);
  const ended = await run("npx", ["--no-install", "midcall", "run", "relay-restart", "--json"], folder);
  expect(ended.err).toContain("relay-restart sim seed 0x1");
  expect(ended.code).toBe(0);
  expect(JSON.parse(ended.out)).toMatchObject({ scenario: "relay-restart", verdict: "held" });
});

test("from an empty folder, a user's scenario in TypeScript runs and holds, and its twin is sabotaged in the compiled code", async (context) => {
  wantInstalled(context);
  await writeFile(
    join(folder, "my-case.ts"),
    `import { expectConnect, expectRecovery, kill, type Scenario, scenario } from "midcall";

const mine: Scenario = scenario({
  name: "my-case",
  asks: "Does it run outside?",
  duration: "15s",
  parties: { alice: {}, bob: {}, r1: { role: "relay" } },
  faults: [kill("r1", { at: "5s", for: "1s" })],
  expect: [expectConnect(), expectRecovery({ within: "1s", from: "heal" })],
  twin: { mutation: "no-media-after-reconnect", breaks: "media-recovers" },
});
export default mine;
`,
  );
  const ended = await run("npx", ["--no-install", "midcall", "run", "./my-case.ts", "--json"], folder);
  expect(JSON.parse(ended.out)).toMatchObject({ scenario: "my-case", verdict: "held" });
  const twin = await run("npx", ["--no-install", "midcall", "run", "./my-case.ts", "--twin", "--json"], folder);
  expect(JSON.parse(twin.out)).toMatchObject({ verdict: "broken", sabotage: "no-media-after-reconnect" });
  expect(twin.code).toBe(1);
});

test("from an empty folder, a user's own vitest runs scenarios, and a broken one fails with how to see it again", async (context) => {
  wantInstalled(context);
  // The vitest of this repository stands for the user's.
  await symlink(join(REPOSITORY, "node_modules/vitest"), join(folder, "node_modules/vitest"));
  // The guide's own example, as it stands there.
  const guide = await readFile(join(REPOSITORY, "docs/guide.md"), "utf8");
  const [, example = ""] = /^```ts\n(\/\/ resilience\.test\.ts\n.*?)^```$/ms.exec(guide) ?? [];
  await writeFile(join(folder, "resilience.test.ts"), example);
  await writeFile(
    join(folder, "chaos.test.ts"),
    `import { kill, scenario } from "midcall";
import { chaos } from "midcall/vitest";
import { expect, test, vi } from "vitest";

vi.setConfig({ testTimeout: 60_000 });

test("a restart of the relay is survived", async () => {
  const run = await chaos("relay-restart", { seed: 3, codec: "sized" });
  expect(run).toHold();
  expect(run).toRecoverWithin("500ms");
  expect(run).not.toRecoverWithin("1ms", { party: "alice", from: "fault" });
  expect(run).toKeepGenerationsOrdered();
});

test("one's own scenario", async () => {
  const mine = scenario({ name: "mine", asks: "Does it run?", duration: "12s", parties: { alice: {}, bob: {}, r1: { role: "relay" } }, faults: [kill("r1", { at: "5s", for: "1s" })], expect: [] });
  expect(await chaos(mine, { codec: "sized" })).toRecoverWithin("1s");
});

test("the twin fails", async () => {
  expect(await chaos("relay-restart", { twin: true, codec: "sized" })).toHold();
});

test("what does not exist is said at once", async () => {
  await expect(chaos("no-such-case")).rejects.toThrow(/no-such-case/);
});
`,
  );
  const ended = await run(process.execPath, [join(REPOSITORY, "node_modules/vitest/vitest.mjs"), "run", "--root", "."], folder);
  const said = `${ended.out}${ended.err}`;
  expect(said).toMatch(/ resilience\.test\.ts \(1 test\)/);
  expect(said).toMatch(/Tests +1 failed \| 4 passed/);
  expect(said).toContain("FAIL relay-restart  oracle=media-recovers");
  expect(said).toContain("look first: ");
  expect(said).toContain("replay: npx midcall replay out/relay-restart/sim-twin-0x1/scenario.json");
  expect(said).toContain("report: out/relay-restart/sim-twin-0x1/report.html");
  await writeFile(
    join(folder, "typed.ts"),
    'import { chaos } from "midcall/vitest";\nimport { expect } from "vitest";\nexpect(await chaos("baseline")).toRecoverWithin(5);\n',
  );
  const tsc = join(REPOSITORY, "node_modules/typescript/bin/tsc");
  const options = ["--noEmit", "--module", "nodenext", "--target", "es2024", "--skipLibCheck", "--ignoreConfig", "--types", ""];
  expect((await run(process.execPath, [tsc, ...options, "typed.ts"], folder)).out).toMatch(/typed\.ts\(3,.*number.*string/);
});

test("the package's types are found: a wrong scenario does not compile", async (context) => {
  wantInstalled(context);
  await writeFile(join(folder, "right.ts"), 'import { kill } from "midcall";\nexport const a = kill("r1", { at: "5s" });\n');
  await writeFile(join(folder, "wrong.ts"), 'import { kill } from "midcall";\nexport const a = kill(5, { at: "5s" });\n');
  const tsc = join(REPOSITORY, "node_modules/typescript/bin/tsc");
  const options = ["--noEmit", "--module", "nodenext", "--target", "es2024", "--skipLibCheck", "--ignoreConfig", "--types", ""];
  const right = await run(process.execPath, [tsc, ...options, "right.ts"], folder);
  expect(right.out).toBe("");
  expect((await run(process.execPath, [tsc, ...options, "wrong.ts"], folder)).out).toContain("wrong.ts(2,");
});

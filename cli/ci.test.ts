/** The GitHub Action and the GitLab job, run here: the very shell lines that are in their files, in the shells those services use. */
import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";

const REPOSITORY = join(import.meta.dirname, "..");
let scratch = "";
let programs = "";

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "midcall-ci-"));
  programs = join(scratch, "bin");
  await mkdir(programs);
  // Installing is the registry's and npm's part: here it is said, not done, and npx finds this checkout.
  const script = async (name: string, text: string): Promise<void> => {
    await writeFile(join(programs, name), `#!/bin/sh\n${text}\n`);
    await chmod(join(programs, name), 0o755);
  };
  await script("npm", 'echo "npm $*"');
  await script(
    "npx",
    `[ "$1 $2" = "--yes midcall" ] || exit 99\nshift 2\nexec node "${join(REPOSITORY, "cli/midcall.mjs")}" "$@"`,
  );
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

type Ended = { readonly code: number | null; readonly out: string };

function shell(program: string, words: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GITHUB_")));
    const child = spawn(program, words, { cwd, env: { ...clean, PATH: `${programs}:${process.env.PATH}`, ...env } });
    let out = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (out += chunk));
    child.on("error", reject).on("close", (code) => resolve({ code, out }));
  });
}

type Step = {
  readonly name?: string;
  readonly run?: string;
  readonly shell?: string;
  readonly env?: Record<string, string>;
  readonly if?: string;
};
type Action = {
  readonly inputs: Record<string, { readonly default: string }>;
  readonly runs: { readonly steps: readonly Step[] };
};

/** The action's own shell lines one after the other, as a runner runs them (bash -e -o pipefail, inputs put into the environment), up to the first that fails. */
async function action(
  given: Readonly<Record<string, string>>,
): Promise<Ended & { readonly folder: string; readonly summary: string }> {
  const { inputs, runs } = parse(await readFile(join(REPOSITORY, "action.yml"), "utf8")) as Action;
  const folder = await mkdtemp(join(scratch, "job-"));
  const summary = join(folder, "summary.md");
  await writeFile(summary, "");
  const input = (text: string): string =>
    text.replace(/\$\{\{ inputs\.(\w+) \}\}/g, (_, name: string) => given[name] ?? inputs[name]?.default ?? "");
  let all = "";
  for (const step of runs.steps) {
    if (step.run === undefined) continue;
    expect(step.run, "an input inside a script would be run").not.toContain("${{");
    const env = Object.fromEntries(Object.entries(step.env ?? {}).map(([name, text]) => [name, input(text)]));
    const ended = await shell("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", step.run], folder, {
      ...env,
      GITHUB_ACTION_PATH: REPOSITORY,
      GITHUB_STEP_SUMMARY: summary,
    });
    all += ended.out;
    if (ended.code !== 0) return { code: ended.code, out: all, folder, summary: await readFile(summary, "utf8") };
  }
  return { code: 0, out: all, folder, summary: await readFile(summary, "utf8") };
}

test("the action: scenarios that hold pass, with a summary, junit.xml and ctrf.json", async () => {
  const { code, out, folder, summary } = await action({ scenarios: "baseline blackout" });
  expect(code, out).toBe(0);
  expect(out).toContain(`npm ci --omit=dev --prefix ${REPOSITORY}`);
  expect(out).not.toContain("::error");
  expect(summary).toContain("## midcall");
  expect(await readFile(join(folder, "midcall-out/junit.xml"), "utf8")).toMatch(
    /<testsuites name="midcall" tests="2" failures="0"/,
  );
  const ctrf = JSON.parse(await readFile(join(folder, "midcall-out/ctrf.json"), "utf8")) as { results: { summary: unknown } };
  expect(ctrf.results.summary).toMatchObject({ tests: 2, passed: 2, failed: 0 });
});

test("the action: what breaks fails the job with midcall's exit code, an annotation and a way to run it again", async () => {
  const { code, out, folder, summary } = await action({
    scenarios: "relay-restart",
    arguments: "--codec sized --crypto null --set expect.2.within=1ms",
  });
  expect(code).toBe(1);
  expect(out).toMatch(/^::error title=relay-restart%3A media-recovers broken::.*%0Aseed 0x1%0Areplay: npx midcall replay /m);
  expect(summary).toContain("<summary>relay-restart: broken, seed 0x1</summary>");
  // The lanes of the run, read from its log: the fault, and what was heard before and after it.
  expect(summary).toMatch(/^\| faults +\| `\[ +!+ +\]` +\|$/m);
  expect(summary).toMatch(/^\| alice hears bob +\| `\[ *█+.*_+.*█+.*\]` +\|$/m);
  expect(await readFile(join(folder, "midcall-out/junit.xml"), "utf8")).toContain("<failure ");
});

test("the action: an input is words for midcall and never a command", async () => {
  const { code, out, folder } = await action({ scenarios: "$(touch owned) `touch owned`; touch owned" });
  expect(code).toBe(2);
  expect(out).toContain("midcall: ");
  await expect(readFile(join(folder, "owned"))).rejects.toThrow("ENOENT");
});

test("the GitLab job: its script leaves the JUnit report where the job says it is", async () => {
  const file = parse(await readFile(join(REPOSITORY, "docs/ci/gitlab-ci.yml"), "utf8")) as {
    readonly midcall: {
      readonly script: readonly string[];
      readonly variables: Record<string, string>;
      readonly artifacts: { readonly paths: readonly string[]; readonly reports: { readonly junit: string } };
    };
  };
  const { script, variables, artifacts } = file.midcall;
  const folder = await mkdtemp(join(scratch, "gitlab-"));
  const ended = await shell("sh", ["-ec", script.join("\n")], folder, { ...variables, MIDCALL_SCENARIOS: "baseline" });
  expect(ended.code, ended.out).toBe(0);
  expect(ended.out).toMatch(/^held {2}baseline/m);
  expect(await readFile(join(folder, artifacts.reports.junit), "utf8")).toContain('tests="1"');
  expect(artifacts.reports.junit.startsWith(artifacts.paths[0] ?? "?")).toBe(true);
});

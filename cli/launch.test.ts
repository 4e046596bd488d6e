import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import wavefile from "wavefile";
import { EXIT } from "./exit.ts";
import { midcallProcess } from "./recorded-terminal.fixture.ts";

const MIDCALL = join(import.meta.dirname, "midcall.mjs");
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

/** The README's call between three terminals: each `$ ` line with what is shown below it. */
async function threeTerminals(): Promise<readonly { readonly words: readonly string[]; readonly shown: readonly string[] }[]> {
  const page = await readFile(join(import.meta.dirname, "../README.md"), "utf8");
  const text = /^A call between real processes.*?\n\n((?: {4}.*\n|\n)+)/ms.exec(page)?.[1] ?? "";
  return text
    .replace(/ \\\n +/g, " ")
    .split(/^ {4}\$ npx midcall /m)
    .slice(1)
    .map((part) => {
      const [command = "", ...shown] = part.trim().split(/\n */);
      return { words: command.split(" "), shown };
    });
}

/** Told apart by no two runs: ports, pins, fingerprints. */
const masked = (text: string): string => text.replace(/\b127\.0\.0\.1:\d+\b/g, "ADDRESS").replace(/\b[0-9a-f]{32,64}\b/g, "HEX");

test("the README's call between three terminals: what it shows is said, and one hears the other", async () => {
  const [relay, bob, alice] = await threeTerminals();
  if (relay === undefined || bob === undefined || alice === undefined) throw new Error("three terminals are shown");
  const started: ChildProcess[] = [];
  const begin = (words: readonly string[]) => {
    const child = spawn(process.execPath, [MIDCALL, ...words], { cwd: folder });
    started.push(child);
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece: Buffer) => (said += piece));
    const ended = once(child, "exit").then(([code]) => Number(code));
    const tells = (pattern: RegExp): Promise<string> =>
      vi.waitFor(() => pattern.exec(said)?.[1] ?? Promise.reject(new Error(`no ${pattern}: ${said}`)), 30_000);
    return { child, tells, ended, said: () => said };
  };
  try {
    // As shown but for the port, which may be another's here, and what it then prints.
    const one = begin([...relay.words, "--listen", "127.0.0.1:0"]);
    const [address, pin] = [await one.tells(/^listening (\S+)$/m), await one.tells(/^pin ([0-9a-f]{64})$/m)];
    const real = (words: readonly string[], peer = ""): string[] =>
      words.map((word, i) => {
        const option = words[i - 1];
        if (option === "--relay") return address;
        if (option === "--pin") return pin;
        if (option === "--call") return peer;
        return option === "--speech" ? join(import.meta.dirname, "..", word) : word;
      });
    const two = begin(real(bob.words));
    const fingerprint = await two.tells(/^fingerprint ([0-9a-f]{32}) /m);
    await two.tells(/^(registration registered) /m);
    const three = begin(real(alice.words, fingerprint));
    expect(await three.ended, three.said()).toBe(0);
    two.child.kill("SIGINT");
    one.child.kill("SIGINT");
    await Promise.all([one.ended, two.ended]);
    for (const [{ shown }, { said }] of [
      [relay, one],
      [bob, two],
    ] as const)
      for (const line of shown) expect(masked(said()).split("\n")).toContain(masked(line));
    const heard = new wavefile.WaveFile(await readFile(join(folder, "heard.wav"))).getSamples(
      false,
      Int16Array,
    ) as unknown as Int16Array;
    // Bob echoes: what alice hears is her own speech.
    expect(heard.some((sample) => Math.abs(sample) > 3_000)).toBe(true);
  } finally {
    for (const child of started) child.kill("SIGKILL");
  }
});

/** What a person sees: `midcall` in a pseudo-terminal (script(1)), its octets read by a terminal emulator, and the screen looked at after each of them. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import xterm from "@xterm/headless";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MARKUP } from "./hostile-run.fixture.ts";
import { midcallProcess } from "./recorded-terminal.fixture.ts";

const ROWS = 24;
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcall-terminal-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** One screen: its lines without the empty ones at its end, and whether any of them goes on in the next one. */
type Screen = { readonly lines: readonly string[]; readonly wraps: boolean };
type Seen = { readonly screens: readonly Screen[]; readonly titles: readonly string[]; readonly code: number | null };

/** Node.js with `words` in a terminal of `columns` by ROWS, with every screen it showed. `type`: what its user types once the screen has these words. */
async function shown(
  columns: number,
  words: readonly string[],
  type?: { readonly at: string; readonly keys: string },
): Promise<Seen> {
  const emulator = new xterm.Terminal({ cols: columns, rows: ROWS, scrollback: 500, allowProposedApi: true });
  const titles: string[] = [];
  emulator.onTitleChange((title) => titles.push(title));
  const quoted = [process.execPath, ...words].map((word) => `'${word}'`).join(" ");
  const command = `stty cols ${columns} rows ${ROWS}; exec ${quoted}`;
  const child = spawn("script", ["--quiet", "--flush", "--return", "--command", command, "/dev/null"], {
    cwd: folder,
    env: { ...process.env, TERM: "xterm-256color", NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const screens: Screen[] = [];
  let hasTyped = false;
  for await (const chunk of child.stdout) {
    await new Promise<void>((resolve) => emulator.write(chunk as Buffer, resolve));
    const { active } = emulator.buffer;
    const rows = Array.from({ length: active.length }, (_, y) => active.getLine(y));
    const lines = rows.map((row) => row?.translateToString(true) ?? "");
    while (lines.at(-1) === "") lines.pop();
    screens.push({ lines, wraps: rows.some((row) => row?.isWrapped === true) });
    if (type === undefined || hasTyped || !lines.join("\n").includes(type.at)) continue;
    hasTyped = true;
    child.stdin.write(type.keys);
  }
  const code = child.exitCode ?? (await new Promise<number | null>((resolve) => child.on("exit", resolve)));
  return { screens, titles, code };
}

const FAST = ["--codec", "sized", "--crypto", "null"];

test.each([
  [40, /^relay-restart sim seed 0x1( \d+s of 15s)?$/],
  [80, /^[█░]{20} relay-restart sim seed 0x1( \d+s of 15s)?$/],
  [120, /^[█░]{20} relay-restart sim seed 0x1( \d+s of 15s)?$/],
])(
  "on %d columns a run draws its progress and the last things that happened in place, and leaves the verdict alone",
  async (columns, bottom) => {
    const { screens, titles, code } = await shown(columns, [join(import.meta.dirname, "midcall.mjs"), "run", "relay-restart"]);
    expect(code).toBe(0);
    expect(titles).toEqual([]);
    const going = screens.filter(({ lines }) => bottom.test(lines.at(-1) ?? ""));
    expect(going.length).toBeGreaterThan(1);
    for (const { lines, wraps } of going) {
      // At most eight things that happened, and one line of progress below them; nothing of what was drawn before is left.
      expect(lines.length).toBeLessThanOrEqual(9);
      expect(lines.filter((line) => bottom.test(line))).toHaveLength(1);
      for (const line of lines.slice(0, -1)) expect(line).toMatch(/^ *\d+\.\d{3} s {1,2}\S/);
      for (const line of lines) expect(line.length).toBeLessThan(columns);
      expect(wraps).toBe(false);
    }
    // Progress only grows.
    const full = going.map(({ lines }) => Number(/(\d+)s of/.exec(lines.at(-1) ?? "")?.[1] ?? 0));
    expect(full).toEqual(full.toSorted((a, b) => a - b));
    expect(going.some(({ lines }) => lines.some((line) => line.includes("⚡ kill r1")))).toBe(true);
    expect(going.some(({ lines }) => lines.some((line) => / heard nothing for \d+ ms$/.test(line)))).toBe(true);
    // What stays: the verdict, and figures that go on below where they began.
    const { lines: left = [], wraps } = screens.at(-1) ?? {};
    expect(left[0]).toMatch(/^held {2}relay-restart {2}sim {2}seed 0x1/);
    expect(left.join("\n")).not.toMatch(/[█░⚡]/);
    expect(left.slice(-2).join("")).toContain("report: out/relay-restart/sim-0x1");
    const names = left.filter((line) => /^ {2}(held|broken) {5,}\S/.test(line)).length;
    expect(names).toBeGreaterThan(15);
    const others = left.filter((line) => line.startsWith("   "));
    expect(others.length).toBeGreaterThan(columns === 40 ? 20 : 1);
    const figures = /^ {2}held +\S+ +/.exec(left[1] ?? "")?.[0].length ?? 0;
    expect(new Set(others.map((line) => line.search(/\S/)))).toEqual(new Set([columns === 40 ? 6 : figures]));
    if (columns > 40) expect(wraps).toBe(false);
  },
);

test("of several runs the line says which of how many it is, and how many did not hold", async () => {
  const midcall = join(import.meta.dirname, "midcall.mjs");
  const { screens, code } = await shown(80, [
    midcall,
    "run",
    "baseline",
    "--set",
    "duration=8s",
    "--twin",
    "--repeat",
    "2",
    ...FAST,
  ]);
  expect(code).toBe(1);
  const bottoms = screens.map(({ lines }) => lines.at(-1) ?? "");
  expect(bottoms.some((line) => line.includes("1/2 baseline sim seed 0x1"))).toBe(true);
  expect(bottoms.some((line) => line.includes("2/2 ✗1 baseline sim seed 0x2"))).toBe(true);
});

test("on 40 columns campaigns tell what they find as they find it, above a bar of how far they are", async () => {
  const midcall = join(import.meta.dirname, "midcall.mjs");
  const [seen, planted] = await Promise.all([
    shown(40, [midcall, "explore", "baseline", "--seeds", "6", "--workers", "1"]),
    shown(40, [midcall, "mutants", "reject", "--only", "hang-up-on-silence", "--explore", "0", "--workers", "1"]),
  ]);
  expect([seen.code, planted.code]).toEqual([0, 1]);
  const of = ({ screens }: Seen, bottom: RegExp): readonly Screen[] =>
    screens.filter(({ lines }) => bottom.test(lines.at(-1) ?? ""));
  const exploring = of(seen, /\d+\/6 explore \d+\/s \d+\/\d+ probes$/);
  const trying = of(planted, /^█{20} mutants$/);
  expect(exploring.some(({ lines }) => lines.some((line) => /^seed 0x[0-9a-f]+ {1,2}met \S/.test(line)))).toBe(true);
  expect(trying.some(({ lines }) => lines.some((line) => line.startsWith("✗ hang-up-on-silence")))).toBe(true);
  for (const { lines, wraps } of [...exploring, ...trying]) {
    expect(lines.length).toBeLessThanOrEqual(9);
    for (const line of lines) expect(line.length).toBeLessThan(40);
    expect(wraps).toBe(false);
  }
  // What stays is what a pipe would have had.
  expect(seen.screens.at(-1)?.lines.join("")).toMatch(/^explored 6 seeds/);
});

test("without a terminal there are plain lines, and no octet that draws", async () => {
  const { code, out, err } = await midcallProcess(folder, ["run", "baseline", "--codec", "sized", "--crypto", "null"]);
  expect(code).toBe(0);
  expect(err).toBe("baseline sim seed 0x1");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  expect(`${out}${err}`).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f█░]/);
});

test("a hostile name moves nothing on the screen and does not name the window", async () => {
  const driver = join(import.meta.dirname, "terminal-driver.fixture.ts");
  const { screens, titles } = await shown(100, [driver, "stay"], { at: "end of the notices", keys: "\n" });
  expect(titles).toEqual([]);
  const going = screens.find(({ lines }) => lines.some((line) => line.includes("end of the notices")))?.lines ?? [];
  expect(going).toHaveLength(3);
  expect(going[0]).toContain(`⚡ kill ${MARKUP}??::error::`);
  const left = screens.at(-1)?.lines.join("\n") ?? "";
  expect(left).toContain(`midcall: ${MARKUP}?`);
  expect(left).toContain(`held  ${MARKUP}?`);
});

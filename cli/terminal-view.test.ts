/** What a person sees: `midcall` in a pseudo-terminal (script(1)), its octets read by a terminal emulator, and the screen looked at after each of them. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import xterm from "@xterm/headless";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MARKUP } from "./hostile-run.fixture.ts";
import { midcallProcess } from "./recorded-terminal.fixture.ts";

const [COLUMNS, ROWS] = [72, 24];
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcall-terminal-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** One screen: its lines without the empty ones at its end, and whether any of them goes on in the next one. */
type Screen = { readonly lines: readonly string[]; readonly wraps: boolean };
type Seen = { readonly screens: readonly Screen[]; readonly titles: readonly string[]; readonly code: number | null };

/** Node.js with `words` in a terminal of COLUMNS by ROWS, with every screen it showed. `type`: what its user types once the screen has these words. */
async function shown(words: readonly string[], type?: { readonly at: string; readonly keys: string }): Promise<Seen> {
  const emulator = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, scrollback: 500, allowProposedApi: true });
  const titles: string[] = [];
  emulator.onTitleChange((title) => titles.push(title));
  const quoted = [process.execPath, ...words].map((word) => `'${word}'`).join(" ");
  const command = `stty cols ${COLUMNS} rows ${ROWS}; exec ${quoted}`;
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

test("a run draws its progress and the last things that happened in place, and leaves the verdict alone", async () => {
  const { screens, titles, code } = await shown([join(import.meta.dirname, "midcall.mjs"), "run", "relay-restart"]);
  expect(code).toBe(0);
  expect(titles).toEqual([]);
  const going = screens.filter(({ lines }) => lines.some((line) => /^[█░]{20} /.test(line)));
  expect(going.length).toBeGreaterThan(1);
  for (const { lines, wraps } of going) {
    // At most eight things that happened, and one line of progress below them; nothing of what was drawn before is left.
    expect(lines.length).toBeLessThanOrEqual(9);
    expect(lines.filter((line) => /[█░]{20}/.test(line))).toHaveLength(1);
    expect(lines.at(-1)).toMatch(/^[█░]{20} relay-restart sim seed 0x1( \d+s of 15s)?$/);
    for (const line of lines.slice(0, -1)) expect(line).toMatch(/^ *\d+\.\d{3} s {2}\S/);
    expect(wraps).toBe(false);
  }
  // The bar only grows.
  const full = going.map(({ lines }) => (lines.at(-1)?.match(/█/g) ?? []).length);
  expect(full).toEqual(full.toSorted((a, b) => a - b));
  expect(going.some(({ lines }) => lines.some((line) => line.includes("⚡ kill r1")))).toBe(true);
  expect(going.some(({ lines }) => lines.some((line) => / heard nothing for \d+ ms$/.test(line)))).toBe(true);
  const left = screens.at(-1)?.lines ?? [];
  expect(left[0]).toMatch(/^held {2}relay-restart {2}sim {2}seed 0x1 {2}/);
  expect(left.join("\n")).not.toMatch(/[█░⚡]/);
  expect(left.at(-1)).toBe("report: out/relay-restart/sim-0x1/report.html");
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
  const { screens, titles } = await shown([driver, "stay"], { at: "end of the notices", keys: "\n" });
  expect(titles).toEqual([]);
  const going = screens.find(({ lines }) => lines.some((line) => line.includes("end of the notices")))?.lines ?? [];
  expect(going).toHaveLength(3);
  expect(going[0]).toContain(`⚡ kill ${MARKUP}??::error::`);
  const left = screens.at(-1)?.lines.join("\n") ?? "";
  expect(left).toContain(`midcall: ${MARKUP}?`);
  expect(left).toContain(`held  ${MARKUP}?`);
});

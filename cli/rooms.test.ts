/**
 * The room graph of docs/architecture.md is a promise kept by biome.json: every forbidden import, clock and generator is
 * planted in a scratch tree with the project's own linter settings and must be reported; every allowed import must not be.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const REPOSITORY = join(import.meta.dirname, "..");

/** Which rooms each room may import, besides itself. */
const MAY_IMPORT: ReadonlyMap<string, readonly string[]> = new Map([
  ["impl/base", []],
  ["impl/wire", ["impl/base"]],
  ["impl/core", ["impl/base", "impl/wire"]],
  ["impl/io", ["impl/base", "impl/wire", "impl/core"]],
  ["impl/bin", ["impl/base", "impl/wire", "impl/core", "impl/io"]],
  ["scenarios", ["impl/base"]],
  ["sim", ["impl/base", "impl/wire", "impl/core", "scenarios"]],
  ["netns", ["impl/base", "impl/wire", "impl/core", "impl/io", "impl/bin", "scenarios"]],
  ["reports", ["impl/base", "scenarios"]],
  ["dashboards", ["impl/base", "reports"]],
]);
const ROOMS = [...MAY_IMPORT.keys(), "cli"];
const PURE = ["impl/base", "impl/wire", "impl/core", "scenarios", "sim", "reports"];

/** What a pure room must not do, as the body of a module, and the rule that says so. */
const IMPURE: ReadonlyMap<string, readonly [source: string, rule: string]> = new Map([
  ["date", ["export const a = Date.now();", "noRestrictedGlobals"]],
  ["new-date", ["export const a = new Date();", "noRestrictedGlobals"]],
  ["performance", ["export const a = performance.now();", "noRestrictedGlobals"]],
  ["set-timeout", ["setTimeout(() => {}, 1);", "noRestrictedGlobals"]],
  ["set-interval", ["setInterval(() => {}, 1);", "noRestrictedGlobals"]],
  ["set-immediate", ["setImmediate(() => {});", "noRestrictedGlobals"]],
  ["queue-microtask", ["queueMicrotask(() => {});", "noRestrictedGlobals"]],
  ["promise", ["export const a = Promise.resolve(1);", "noRestrictedGlobals"]],
  ["process", ["export const a = process.pid;", "noRestrictedGlobals"]],
  ["global-this", ["export const a = globalThis.Date;", "noRestrictedGlobals"]],
  ["web-crypto", ["export const a = crypto.randomUUID();", "noRestrictedGlobals"]],
  ["fetch", ['export const a = fetch("http://[::1]/").catch(() => 1);', "noRestrictedGlobals"]],
  ["console", ['console.log("a");', "noRestrictedGlobals"]],
  ["buffer", ["export const a = Buffer.alloc(1);", "noRestrictedGlobals"]],
  ["node-module", ['import { readFileSync } from "node:fs";\nexport const a = readFileSync;', "noNodejsModules"]],
  ["node-type", ['import type { Server } from "node:net";\nexport type A = Server;', "plugin"]],
  ["package", ['import pino from "pino";\nexport const a = pino;', "noRestrictedImports"]],
  ["test-package", ['import { test } from "vitest";\nexport const a = test;', "noUndeclaredDependencies"]],
]);

/** What no room may do. */
const BANNED: ReadonlyMap<string, readonly [source: string, rule: string]> = new Map([
  ["random", ["export const a = Math.random();", "plugin"]],
  ["random-key", ['export const a = Math["random"]();', "plugin"]],
  ["random-taken", ["export const { random } = Math;", "plugin"]],
  ["any", ["export const a = (b: any): unknown => b;", "noExplicitAny"]],
  ["non-null", ["export const a = (b: string | undefined): string => b!;", "noNonNullAssertion"]],
  ["floating", ["const a = async (): Promise<void> => {};\nexport const b = (): void => {\n  a();\n};", "noFloatingPromises"]],
  ["bare-builtin", ['import { readFileSync } from "fs";\nexport const a = readFileSync;', "useNodejsImportProtocol"]],
  ["CamelCase", ["export const a = 1;", "useFilenamingConvention"]],
  ["long", [`export const a = [\n${"  1,\n".repeat(500)}];`, "noExcessiveLinesPerFile"]],
]);

type Finding = { readonly rule: string; readonly file: string };

/** Every error the linter reports below `root`. */
async function lint(root: string): Promise<Finding[]> {
  const biome = join(REPOSITORY, "node_modules/@biomejs/biome/bin/biome");
  const output = await new Promise<string>((resolve, reject) => {
    execFile(
      process.execPath,
      [biome, "lint", "--reporter=github", "--colors=off", "--max-diagnostics=none", "--error-on-warnings", "."],
      { cwd: root, maxBuffer: 64 << 20 },
      (error, stdout, stderr) =>
        stdout.includes("::") || error === null ? resolve(stdout) : reject(new Error(`biome: ${stderr}`)),
    );
  });
  return [...output.matchAll(/^::(?:error|warning) title=([^,]+),file=([^,]+),/gm)].map(([, title = "", file = ""]) => ({
    rule: title.replace(/.*\//, ""),
    file: relative(root, file),
  }));
}

let scratch = "";
let found: ReadonlyMap<string, readonly string[]> = new Map();

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "midcall-rooms-"));
  for (const path of ["biome.json", "package.json", "tsconfig.json", ".gitignore", ".ci/lint"]) {
    await cp(join(REPOSITORY, path), join(scratch, path), { recursive: true });
  }
  const plant = async (path: string, source: string): Promise<void> => {
    await mkdir(dirname(join(scratch, path)), { recursive: true });
    await writeFile(join(scratch, path), `${source}\n`);
  };
  for (const room of ROOMS) {
    await plant(`${room}/target.ts`, "export type Target = 1;\nexport const target = 1;");
    for (const other of ROOMS) {
      if (other === room) continue;
      const to = (folder: string): string => relative(folder, `${other}/target.ts`);
      const name = other.replace("/", "-");
      await plant(`${room}/to-${name}.ts`, `import { target } from "${to(room)}";\nexport const a = target;`);
      await plant(`${room}/to-${name}.test.ts`, `import { target } from "${to(room)}";\nexport const a = target;`);
      await plant(
        `${room}/deep/type-${name}.ts`,
        `import type { Target } from "${to(`${room}/deep`)}";\nexport type A = Target;`,
      );
      await plant(`${room}/again-${name}.ts`, `export { target } from "${to(room)}";`);
      await plant(`${room}/later-${name}.ts`, `export const a = import("${to(room)}");`);
    }
    for (const [name, [source]] of [...IMPURE, ...BANNED]) await plant(`${room}/planted/${name}.ts`, source);
    await plant(
      `${room}/tools.test.ts`,
      'import { readFileSync } from "node:fs";\nimport fc from "fast-check";\nimport { test } from "vitest";\nexport const a = [readFileSync, fc, test, Date.now()];',
    );
  }
  await plant("impl/core/cycle-a.ts", 'import { b } from "./cycle-b.ts";\nexport const a = (): number => b();');
  await plant("impl/core/cycle-b.ts", 'import { a } from "./cycle-a.ts";\nexport const b = (): number => a();');
  const rules = new Map<string, string[]>();
  for (const { rule, file } of await lint(scratch)) rules.set(file, [...(rules.get(file) ?? []), rule]);
  found = rules;
});

afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
});

const rulesOf = (file: string): readonly string[] => found.get(file) ?? [];

test.each(ROOMS)("%s: each forbidden room is reported, in sources and tests, by value, type, re-export and import()", (room) => {
  for (const other of ROOMS) {
    if (other === room) continue;
    const name = other.replace("/", "-");
    const files = [`to-${name}.ts`, `to-${name}.test.ts`, `deep/type-${name}.ts`, `again-${name}.ts`, `later-${name}.ts`];
    const allowed = room === "cli" || MAY_IMPORT.get(room)?.includes(other) === true;
    const reported = files.filter((file) => rulesOf(`${room}/${file}`).includes("noRestrictedImports"));
    expect(reported, `${room} -> ${other}`).toEqual(allowed ? [] : files);
  }
});

test.each(PURE)("%s: each clock, timer, generator, promise and node module is reported", (room) => {
  for (const [name, [, rule]] of IMPURE) expect(rulesOf(`${room}/planted/${name}.ts`), name).toContain(rule);
});

test.each(ROOMS.filter((room) => !PURE.includes(room)))("%s: clocks, timers and node modules are allowed", (room) => {
  for (const [name] of IMPURE) {
    if (name !== "test-package") expect(rulesOf(`${room}/planted/${name}.ts`), name).toEqual([]);
  }
});

test.each(ROOMS)("%s: what no room may do is reported", (room) => {
  for (const [name, [, rule]] of BANNED) expect(rulesOf(`${room}/planted/${name}.ts`), name).toContain(rule);
});

test.each(ROOMS)("%s: a test may use vitest, fast-check and node modules", (room) => {
  expect(rulesOf(`${room}/tools.test.ts`)).toEqual([]);
});

test("an import cycle is reported", () => {
  expect(rulesOf("impl/core/cycle-a.ts")).toContain("noImportCycles");
});

test("the real tree is clean", async () => {
  expect(await lint(REPOSITORY)).toEqual([]);
});

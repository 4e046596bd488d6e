import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { distinct, type Mount, moduleMounts, readOnly, writable } from "./mounts.ts";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "mc-mounts-"));
  await mkdir(join(root, "node_modules/midcall/dist/bin"), { recursive: true });
  await mkdir(join(root, "elsewhere"));
  await writeFile(join(root, "node_modules/midcall/package.json"), "{}");
});
afterAll(() => rm(root, { recursive: true, force: true }));

const show = (mounts: readonly Mount[]): string[] =>
  mounts.map(({ Source, Target, ReadOnly }) => {
    expect(Source).toBe(Target);
    return `${Target.slice(root.length)} ${ReadOnly ? "ro" : "rw"}`;
  });

test("a module brings its package and the packages beside it, all read-only", () => {
  const mounts = distinct(moduleMounts(join(root, "node_modules/midcall/dist/bin/party.js")));
  expect(show(mounts)).toEqual(["/node_modules ro"]);
});

test("a module outside of any package brings its folder", () => {
  expect(show(moduleMounts(join(root, "elsewhere/party.js")))[0]).toBe("/elsewhere ro");
});

test("what is a link brings what it leads to", async () => {
  await mkdir(join(root, "linked"));
  await writeFile(join(root, "linked/package.json"), "{}");
  await symlink(join(root, "node_modules"), join(root, "linked/node_modules"));
  const mounts = distinct(moduleMounts(join(root, "linked/party.js")));
  expect(show(mounts)).toEqual(["/linked ro", "/node_modules ro"]);
});

test("what does not exist is not mounted", () => {
  expect(readOnly([join(root, "nothing")])).toEqual([]);
});

test.each<[mounts: readonly [string, boolean][], kept: readonly string[]]>([
  [
    [
      ["/a", true],
      ["/a/b", true],
    ],
    ["/a ro"],
  ],
  [
    [
      ["/a/b", true],
      ["/a", true],
    ],
    ["/a ro"],
  ],
  [
    [
      ["/a", true],
      ["/ab", true],
    ],
    ["/a ro", "/ab ro"],
  ],
  [
    [
      ["/a", true],
      ["/a/b", false],
    ],
    ["/a ro", "/a/b rw"],
  ],
  [
    [
      ["/a", false],
      ["/a/b", true],
    ],
    ["/a rw"],
  ],
  [
    [
      ["/a", true],
      ["/a", false],
    ],
    ["/a rw"],
  ],
  [
    [
      ["/a", true],
      ["/a/b", false],
      ["/a/b/c", true],
    ],
    ["/a ro", "/a/b rw"],
  ],
])("of %j a container gets %j", (given, kept) => {
  const mounts = given.map(([path, isReadOnly]) =>
    isReadOnly ? { ...writable(join(root, path)), ReadOnly: true } : writable(join(root, path)),
  );
  expect(show(distinct(mounts))).toEqual(kept);
});

import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeFolder } from "./folder.ts";

describe("making a folder", () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "midcall-folder-"));
    await writeFile(join(root, "file"), "");
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  test("makes every parent that is missing, and again does no harm, also at once", async () => {
    const deep = join(root, "a", "b", "c");
    await Promise.all([makeFolder(deep), makeFolder(deep), makeFolder(join(root, "a", "b", "d"))]);
    await makeFolder(deep);
    expect((await stat(deep)).isDirectory()).toBe(true);
  });

  test.each([
    ["below a file", "file/x", "ENOTDIR"],
    ["where a file is", "file", "EEXIST"],
  ])("fails %s", async (_, path, code) => {
    await expect(makeFolder(join(root, path))).rejects.toMatchObject({ code });
  });

  test.runIf(process.platform === "linux")("fails at once in a file system that takes no folders", async () => {
    await expect(makeFolder("/proc/midcall/x")).rejects.toMatchObject({ code: "ENOENT" });
  });
});

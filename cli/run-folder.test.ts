import { mkdtemp, readdir, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { discardIfEmpty, pointLatest, reserveFolder, writeFiles } from "./run-folder.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "midcall-folder-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const RUN = { scenario: "baseline", lab: "sim", seed: "0x1" };

test("the same run again gets a folder of its own, also when both start at once", async () => {
  const folders = await Promise.all(Array.from({ length: 5 }, () => reserveFolder(root, RUN)));
  expect(folders.map((folder) => folder.slice(root.length + 1)).sort()).toEqual([
    "baseline/sim-0x1",
    "baseline/sim-0x1-2",
    "baseline/sim-0x1-3",
    "baseline/sim-0x1-4",
    "baseline/sim-0x1-5",
  ]);
});

test("a file that exists is never overwritten", async () => {
  const folder = await reserveFolder(root, RUN);
  await writeFiles(folder, new Map([["audio/alice.wav", new Uint8Array([1])]]));
  await expect(writeFiles(folder, new Map([["audio/alice.wav", new Uint8Array([2])]]))).rejects.toMatchObject({ code: "EEXIST" });
  expect([...(await readFile(join(folder, "audio/alice.wav")))]).toEqual([1]);
});

test("latest points to the newest, relative to itself", async () => {
  const first = await reserveFolder(root, RUN);
  const second = await reserveFolder(root, RUN);
  await pointLatest(root, first);
  await pointLatest(root, second);
  expect(await readlink(join(root, "latest"))).toBe("baseline/sim-0x1-2");
  expect((await readdir(root)).sort()).toEqual(["baseline", "latest"]);
});

test("only an empty folder is thrown away", async () => {
  const folder = await reserveFolder(root, RUN);
  await writeFiles(folder, new Map([["run.ndjson", "{}\n"]]));
  expect(await discardIfEmpty(folder)).toBe(false);
  expect(await discardIfEmpty(await reserveFolder(root, RUN))).toBe(true);
  expect(await readdir(join(root, "baseline"))).toEqual(["sim-0x1"]);
});

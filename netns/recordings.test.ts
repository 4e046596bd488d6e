import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { wavBytes } from "../impl/io/wav.ts";
import { readRecordings } from "./recordings.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcall-recordings-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const record = async (name: string, ...samples: number[]): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, wavBytes(Int16Array.from(samples)));
  return path;
};

test("the recordings of a party's processes become one: each from where it begins to hear", async () => {
  const files = [await record("1", 1, 2, 0, 4), await record("2", 0, 0, 0, 0, 5, 0, 7), join(folder, "never-made")];
  expect([...(await readRecordings(files))]).toEqual([1, 2, 0, 4, 5, 0, 7]);
});

test("a party that heard nothing has an empty recording", async () => {
  expect(await readRecordings([await record("1")])).toHaveLength(0);
  expect(await readRecordings([])).toHaveLength(0);
});

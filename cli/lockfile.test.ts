import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";

const read = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(import.meta.dirname, "..", name), "utf8"));

type Entry = Readonly<
  Record<"dependencies" | "devDependencies" | "optionalDependencies", Readonly<Record<string, string>> | undefined>
>;

test("package-lock.json holds every package that npm ci will look for, those of other platforms too", async () => {
  const { packages } = (await read("package-lock.json")) as { packages: Readonly<Record<string, Entry>> };
  const missing = Object.entries(packages).flatMap(([folder, { optionalDependencies }]) =>
    Object.keys(optionalDependencies ?? {})
      .filter((name) => !(`node_modules/${name}` in packages || `${folder}/node_modules/${name}` in packages))
      .map((name) => `${folder} wants ${name}: npm run lock`),
  );
  expect(missing).toEqual([]);
});

test("package-lock.json is of this package.json", async () => {
  const manifest = (await read("package.json")) as Entry;
  const { packages } = (await read("package-lock.json")) as { packages: Readonly<Record<string, Entry>> };
  expect(packages[""]?.dependencies).toEqual(manifest.dependencies);
  expect(packages[""]?.devDependencies).toEqual(manifest.devDependencies);
});

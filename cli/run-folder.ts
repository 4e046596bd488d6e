/**
 * A run's folder: `out/<scenario>/<lab>-<seed>[-n]/`, never overwritten, and `out/latest`, which points to the newest one.
 * `-n` counts from 2 when the same run was made before.
 */
import { access, constants, mkdir, rename, rm, rmdir, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { makeFolder } from "../impl/io/folder.ts";
import { lacking, usage } from "./exit.ts";

/** What a run's folder is named after. `seed` as in the log (`0x2a`). */
export type RunName = { readonly scenario: string; readonly lab: string; readonly seed: string };

/**
 * The folder that `--out word` means, absolute, whether or not it is there. Throws a usage error where a file is in the way and `lacking` where
 * none can be made, before any work is done for it.
 */
export async function outFolder(word: string, folder: string): Promise<string> {
  const path = resolve(folder, word);
  let nearest = path;
  for (;;) {
    const found = await stat(nearest).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
      throw refusedFolder(word, error);
    });
    if (found?.isDirectory()) break;
    if (found !== undefined)
      throw usage(
        `--out ${word}: ${nearest === path ? "that" : nearest} is not a folder`,
        "want a folder, or a path where one can be made",
      );
    nearest = dirname(nearest);
  }
  await access(nearest, constants.W_OK | constants.X_OK).catch((error: unknown) => {
    throw refusedFolder(word, error);
  });
  return path;
}

const refusedFolder = (word: string, cause: unknown): Error =>
  lacking(
    `--out ${word}: no folder can be made there (${cause instanceof Error ? cause.message : String(cause)})`,
    "make it writable, or name another",
    cause,
  );

/** Makes `path`, absolute, for `--out word`; `lacking` when the machine refuses. */
export async function makeOutFolder(word: string, path: string): Promise<void> {
  await makeFolder(path).catch((error: unknown) => {
    throw refusedFolder(word, error);
  });
}

/** Makes an empty folder below `root` for a run and returns its path; concurrent runs never get the same one. `lacking` when it cannot be made. */
export async function reserveFolder(root: string, run: RunName): Promise<string> {
  const parent = join(root, run.scenario);
  await makeOutFolder(root, parent);
  for (let n = 1; ; n++) {
    const folder = join(parent, `${run.lab}-${run.seed}${n === 1 ? "" : `-${n}`}`);
    try {
      await mkdir(folder);
      return folder;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw refusedFolder(root, error);
    }
  }
}

/** Writes `files` (path inside the folder -> content) into an existing folder; an existing file is an error. */
export async function writeFiles(folder: string, files: ReadonlyMap<string, string | Uint8Array>): Promise<void> {
  for (const [path, content] of files) {
    await makeFolder(dirname(join(folder, path)));
    await writeFile(join(folder, path), content, { flag: "wx" });
  }
}

/** Points `root/latest` at `folder`, atomically. Where symbolic links are refused (Windows), nothing happens. */
export async function pointLatest(root: string, folder: string): Promise<void> {
  const latest = join(root, "latest");
  const fresh = join(root, `.latest-${process.pid}`);
  try {
    await rm(fresh, { force: true });
    await symlink(relative(root, folder), fresh, "dir");
    await rename(fresh, latest);
  } catch (error) {
    await rm(fresh, { force: true });
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "EPERM" && code !== "EISDIR" && code !== "EEXIST" && code !== "ENOTEMPTY") throw error;
  }
}

/** Removes the folder of an interrupted run. */
export const discardFolder = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });

/** Removes a reserved folder if nothing was written to it; says whether it did. */
export async function discardIfEmpty(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch {
    return false;
  }
}

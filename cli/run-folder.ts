/**
 * A run's folder: `out/<scenario>/<lab>-<seed>[-n]/`, never overwritten, and `out/latest`, which points to the newest one.
 * `-n` counts from 2 when the same run was made before.
 */
import { mkdir, rename, rm, rmdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

/** What a run's folder is named after. `seed` as in the log (`0x2a`). */
export type RunName = { readonly scenario: string; readonly lab: string; readonly seed: string };

/** Makes an empty folder below `root` for a run and returns its path; concurrent runs never get the same one. */
export async function reserveFolder(root: string, run: RunName): Promise<string> {
  const parent = join(root, run.scenario);
  await mkdir(parent, { recursive: true });
  for (let n = 1; ; n++) {
    const folder = join(parent, `${run.lab}-${run.seed}${n === 1 ? "" : `-${n}`}`);
    try {
      await mkdir(folder);
      return folder;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

/** Writes `files` (path inside the folder -> content) into an existing folder; an existing file is an error. */
export async function writeFiles(folder: string, files: ReadonlyMap<string, string | Uint8Array>): Promise<void> {
  for (const [path, content] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
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

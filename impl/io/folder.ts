/**
 * Making a folder with its parents. Node's own recursive mkdir tries for ever where a parent is there and yet refuses with ENOENT, as /proc does;
 * this one asks once for every step.
 */
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Makes `path` (absolute) and its missing parents with `mode`; a folder that is there is left as it is. Rejects with the system's error. */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if (await isFolder(path)) return;
    const parent = dirname(path);
    if (codeOf(error) !== "ENOENT" || parent === path || (await isFolder(parent))) throw error;
    await makeFolder(parent, mode);
    // Another process may have been quicker.
    await mkdir(path, { mode }).catch(async (late: unknown) => {
      if (!(await isFolder(path))) throw late;
    });
  }
}

const isFolder = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isDirectory() === true;

const codeOf = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : undefined);

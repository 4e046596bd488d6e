/**
 * What a party's container shows of this machine. Every folder keeps its path, so that a job file names the same things inside and outside;
 * all but the run's folder is read-only.
 */
import { existsSync, realpathSync } from "node:fs";
import { dirname, join, sep } from "node:path";

/** As the Docker Engine API has it (HostConfig.Mounts). */
export type Mount = { readonly Type: "bind"; readonly Source: string; readonly Target: string; readonly ReadOnly: boolean };

/** Programs and libraries of a machine (file-hierarchy(7)): what a container from nothing needs to run Node.js. */
const SYSTEM = ["/usr", "/lib", "/lib64", "/bin"] as const;

/** Mounts of a container from nothing: this machine's programs, and this very Node.js. */
export const systemMounts = (): readonly Mount[] => readOnly([...SYSTEM, process.execPath]);

/**
 * Mounts that hold the module and everything it imports: its package, and every `node_modules` that Node.js would look in on the way up from there
 * (nodejs.org/api/modules.html, loading from node_modules folders).
 */
export function moduleMounts(module: string): readonly Mount[] {
  const above = ancestors(module);
  const home = above.find((folder) => existsSync(join(folder, "package.json"))) ?? dirname(module);
  return readOnly([home, ...above.map((folder) => join(folder, "node_modules"))]);
}

/** Read-only mounts of the paths that exist, and of what they are links to: Node.js follows links before it reads. */
export const readOnly = (paths: readonly string[]): readonly Mount[] =>
  paths
    .filter((path) => existsSync(path))
    .flatMap((path) => [...new Set([path, realpathSync(path)])].map((one) => bind(one, true)));

export const writable = (path: string): Mount => bind(path, false);

/** The mounts without those that another one shows already, outer ones first. A writable one inside a read-only one stays. */
export function distinct(mounts: readonly Mount[]): readonly Mount[] {
  const kept: Mount[] = [];
  const byDepth = [...mounts].sort((a, b) => a.Target.length - b.Target.length || Number(a.ReadOnly) - Number(b.ReadOnly));
  for (const mount of byDepth) {
    const around = kept.findLast((one) => one.Target === mount.Target || mount.Target.startsWith(join(one.Target, sep)));
    if (around === undefined || (around.ReadOnly && !mount.ReadOnly)) kept.push(mount);
  }
  return kept;
}

const bind = (path: string, isReadOnly: boolean): Mount => ({ Type: "bind", Source: path, Target: path, ReadOnly: isReadOnly });

/** The folders above a file, nearest first. */
function ancestors(file: string): readonly string[] {
  const folder = dirname(file);
  return folder === file ? [] : [folder, ...ancestors(folder)];
}

/** Which midcall this is: the package's version, and the commit of the checkout or of the build. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The package's folder: two up from `dist/cli`, one up from `cli`. */
export const PACKAGE_FOLDER: string = import.meta.filename.endsWith(".ts")
  ? join(import.meta.dirname, "..")
  : join(import.meta.dirname, "..", "..");

/** `.ts` in a checkout, `.js` in a built package: what this module and its neighbours end in. */
export const MODULE_EXTENSION: ".ts" | ".js" = import.meta.filename.endsWith(".ts") ? ".ts" : ".js";

const read = (path: string): Record<string, unknown> | undefined => {
  try {
    return JSON.parse(readFileSync(join(PACKAGE_FOLDER, path), "utf8"));
  } catch {
    return undefined;
  }
};

/** The version of package.json. */
export const version = (): string => String(read("package.json")?.version ?? "unknown");

let known: string | undefined;

/** The commit this code is of, `-dirty` behind it when a checkout was edited; `unknown` outside of both checkout and build. */
export function commit(): string {
  known ??= MODULE_EXTENSION === ".ts" ? checkoutCommit() : String(read("dist/build.json")?.commit ?? "unknown");
  return known;
}

/** What `git` says of the checkout this file is in. */
export function checkoutCommit(): string {
  if (!existsSync(join(PACKAGE_FOLDER, ".git"))) return "unknown";
  try {
    return execFileSync("git", ["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"], {
      cwd: PACKAGE_FOLDER,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "unknown";
  }
}

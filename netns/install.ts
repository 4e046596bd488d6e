/** What the laboratories on real kernels need of the machine, which Debian packages bring it, and getting them. */
import { execFile } from "node:child_process";
import { access, constants, readFile } from "node:fs/promises";
import { platform } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { NetnsError } from "./netns-error.ts";

const execute = promisify(execFile);

/** A program the laboratories call, the Debian package (bookworm and later) it is in, and the word that has it say its version. */
export type Tool = { readonly program: string; readonly package: string; readonly says: string };

/** Programs of plain namespaces. */
export const TOOLS: readonly Tool[] = [
  { program: "ip", package: "iproute2", says: "-V" },
  { program: "tc", package: "iproute2", says: "-V" },
  { program: "nft", package: "nftables", says: "--version" },
  { program: "conntrack", package: "conntrack", says: "--version" },
  { program: "nsenter", package: "util-linux", says: "--version" },
  { program: "setpriv", package: "util-linux", says: "--version" },
];

/** What is missing, in words, and the command that gets it; null when no command can. */
export type Lack = { readonly what: string; readonly command: string | null };

/** The command that installs `packages`. */
export const installCommand = (packages: readonly string[]): string => `apt-get install -y ${packages.join(" ")}`;

/** What this machine lacks to run plain network namespaces; empty: nothing. Tries for real and never rejects. */
export async function lacks(): Promise<Lack[]> {
  if (platform() !== "linux") return [{ what: `network namespaces: this is ${platform()}, not Linux`, command: null }];
  const found: Lack[] = [];
  if (process.getuid?.() !== 0) found.push({ what: `root: this is user id ${process.getuid?.()}`, command: "sudo -i" });
  const packages = await missingPackages();
  if (packages.length > 0) {
    const programs = TOOLS.filter((tool) => packages.includes(tool.package)).map((tool) => tool.program);
    found.push({ what: `programs that are not in the PATH: ${programs.join(", ")}`, command: installCommand(packages) });
  }
  if (found.length > 0) return found;
  try {
    await execute("unshare", ["--net", "nft", "add", "table", "ip", "probe"], { timeout: 10_000 });
  } catch (error) {
    const reason = (error as { stderr?: string }).stderr?.trim().split("\n")[0] ?? String(error);
    found.push({ what: `a network namespace with nftables: ${reason}`, command: null });
  }
  return found;
}

/** Packages whose programs are not in the PATH, each once. */
export async function missingPackages(tools: readonly Tool[] = TOOLS): Promise<string[]> {
  const absent = await Promise.all(tools.map(async (tool) => ((await isInPath(tool.program)) ? [] : [tool.package])));
  return [...new Set(absent.flat())];
}

async function isInPath(program: string): Promise<boolean> {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    try {
      await access(join(folder, program), constants.X_OK);
      return true;
    } catch {
      // the next folder may have it
    }
  }
  return false;
}

/**
 * Installs what is missing of `tools` when this is root on Debian or one of its children; returns the packages installed, none when nothing was missing
 * or this is no such machine. Rejects with NetnsError when apt-get fails.
 */
export async function installMissing(say: (line: string) => void, tools: readonly Tool[] = TOOLS): Promise<readonly string[]> {
  if (platform() !== "linux" || process.getuid?.() !== 0) return [];
  return installPackages(say, await missingPackages(tools));
}

/** Installs `packages` under the same conditions, and with the same answers. */
export async function installPackages(say: (line: string) => void, packages: readonly string[]): Promise<readonly string[]> {
  if (platform() !== "linux" || process.getuid?.() !== 0) return [];
  if (packages.length === 0 || !(await isDebian())) return [];
  // Another apt-get may be at work: wait for its lock instead of failing.
  const apt = async (...words: string[]): Promise<void> => {
    say(`+ apt-get ${words.join(" ")}`);
    await execute("apt-get", ["-o", "DPkg::Lock::Timeout=120", ...words], {
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      maxBuffer: 1 << 26,
    });
  };
  try {
    await apt("update");
    await apt("install", "-y", "--no-install-recommends", ...packages);
  } catch (error) {
    throw new NetnsError(
      "tool-missing",
      `${packages.join(", ")} cannot be installed; by hand: ${installCommand(packages)}`,
      error,
    );
  }
  return packages;
}

async function isDebian(): Promise<boolean> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  return /^ID(_LIKE)?=.*\bdebian\b/m.test(text) && (await isInPath("apt-get"));
}

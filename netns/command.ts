/**
 * Runs `ip` and `nft` (ip(8), nft(8)) and turns what goes wrong into the room's error. A process costs milliseconds and a lab needs hundreds of commands:
 * they go in batches, one process for all that is made from outside and one shell a namespace for all that is set inside.
 */
import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { NetnsError, type NetnsErrorCode } from "./netns-error.ts";

/** What to set inside one namespace, in this order. */
export type NamespaceScript = {
  readonly namespace: string;
  /** Path below /proc/sys/net and value. A path ending in `?` is skipped where the kernel has no such file. */
  readonly settings?: readonly (readonly [path: string, value: number])[];
  /** Lines for `ip -batch`. */
  readonly ip?: readonly string[];
  /** Lines for `ip -6 -batch`, after those: what no address tells the family of. */
  readonly ip6?: readonly string[];
  /** A script for `nft -f`. */
  readonly nft?: string;
  /** As `settings`: those that the kernel has only once the links and rules are there. */
  readonly lateSettings?: NamespaceScript["settings"];
};

/** Milliseconds before a command counts as stuck. chosen: they all end in tens of them, even on a loaded machine. */
export const PATIENCE = 20_000;

/** The Debian package of each command the topology needs. */
const PACKAGES = new Map([
  ["ip", "iproute2"],
  ["nft", "nftables"],
]);

/** NetnsError `not-root` or `tool-missing` when no topology can be built here. */
export function requireMachine(path: string = process.env.PATH ?? "", uid: number | undefined = process.getuid?.()): void {
  if (uid !== 0) {
    throw new NetnsError("not-root", "network namespaces need root: run it with sudo, or choose --lab sim, which needs nothing");
  }
  for (const [command, from] of PACKAGES) {
    if (!path.split(delimiter).some((folder) => isExecutable(join(folder, command)))) throw missing(command, from);
  }
}

/** Standard output of `command`, with `input` on its standard input. Rejects with NetnsError. */
export function run(command: string, args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, [...args], { timeout: PATIENCE, maxBuffer: 1 << 24 }, (cause, stdout, stderr) => {
      if (cause === null) return resolve(stdout);
      if ("code" in cause && cause.code === "ENOENT") return reject(missing(command, PACKAGES.get(command) ?? command, cause));
      reject(commandFailure([command, ...args].join(" "), stderr.trim() || cause.message, input, cause));
    });
    child.stdin?.on("error", () => {}); // it ended before it read everything: told above
    child.stdin?.end(input);
  });
}

/** Many `ip` commands in one process; the first that fails ends the batch, or none does when `force` is set. */
export const ipBatch = (lines: readonly string[], force = false): Promise<string> =>
  run("ip", [...(force ? ["-force"] : []), "-batch", "-"], `${lines.join("\n")}\n`);

/** Lines for `ip -batch`, of a script for a shell. */
export const ipLines = (lines: readonly string[], options: "" | "-6 " = ""): string =>
  `ip ${options}-batch - <<'.'\n${lines.join("\n")}\n.`;

/** Sets up the inside of a namespace: settings, links, rules. The first failure ends it. */
export function configure(script: NamespaceScript): Promise<string> {
  const { namespace, settings = [], ip = [], ip6 = [], nft, lateSettings = [] } = script;
  const lines = settings.map(setting);
  if (ip.length > 0) lines.push(ipLines(ip));
  if (ip6.length > 0) lines.push(ipLines(ip6, "-6 "));
  if (nft !== undefined) lines.push(loadingRules(nft));
  lines.push(...lateSettings.map(setting));
  return run("ip", ["netns", "exec", namespace, "sh", "-e"], `${lines.join("\n")}\n`);
}

/** Loads a script for `nft -f`, as one transaction: every packet meets the rules before it or those after it. Of a script for a shell. */
export const loadingRules = (nft: string): string => `nft -f - <<'.'\n${nft}\n.`;

const setting = ([path, value]: readonly [string, number]): string => {
  const file = `/proc/sys/net/${path.replace(/\?$/, "")}`;
  return path.endsWith("?") ? `[ ! -e ${file} ] || echo ${value} > ${file}` : `echo ${value} > ${file}`;
};

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const missing = (command: string, from: string, cause?: unknown): NetnsError =>
  new NetnsError("tool-missing", `the command ${command} is not installed: apt-get install ${from}`, cause);

/** What the commands say when the kernel is to blame, and when a name is taken. */
const SIGNS: readonly (readonly [RegExp, NetnsErrorCode])[] = [
  [
    /not supported|Unknown device type|Unknown qdisc|Protocol not available|Could not process rule: No such file/i,
    "kernel-lacks",
  ],
  [/File exists|already exists/i, "name-clash"],
  [/Operation not permitted|Permission denied/i, "not-root"],
];

/** What went wrong, from what the command wrote to standard error; names the line of `input` it stopped at, where that can be told. */
export function commandFailure(command: string, stderr: string, input: string, cause?: unknown): NetnsError {
  const code = SIGNS.find(([sign]) => sign.test(stderr))?.[1] ?? "command-failed";
  // `ip -batch` names the line by number alone
  const number = /Command failed -:(\d+)/.exec(stderr)?.[1];
  const batch = /<<'\.'\n([\s\S]*?)\n\.(?:\n|$)/.exec(input)?.[1] ?? input;
  const line = number === undefined ? undefined : batch.split("\n")[Number(number) - 1];
  return new NetnsError(code, `${command}: ${line === undefined ? "" : `${line}: `}${stderr}`, cause);
}

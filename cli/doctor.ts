/** What this machine can run: each part of midcall tried for real, and the command that gets what is missing. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { platform, release } from "node:os";
import { promisify } from "node:util";
import { PROMETHEUS_PACKAGE } from "../dashboards/prometheus.ts";
import { CODEC2_PACKAGES, loadCodec2 } from "../impl/io/codec2.ts";
import { daemonVersion } from "../netns/docker/daemon-socket.ts";
import { daemonRemedy } from "../netns/docker/docker-lacks.ts";
import { installCommand, TOOLS, type Tool } from "../netns/install.ts";

/** One line of the doctor. */
export type Check = {
  readonly part: string;
  /** What needs it: `sim` is required, the rest is for laboratories and processes. */
  readonly for: "sim" | "relay and client" | "netns" | "docker" | "dashboards";
  readonly ok: boolean;
  /** Version or path found, or why it is missing. */
  readonly detail: string;
  /** The command that gets it; null when it is there or no command can. */
  readonly fix: string | null;
  /** Nothing is lost without it: `detail` says what takes its place. */
  readonly optional?: true;
};

/** What `midcall dashboards check` calls. */
export const PROMETHEUS_TOOLS: readonly Tool[] = ["prometheus", "promtool"].map((program) => ({
  program,
  package: PROMETHEUS_PACKAGE,
  says: "--version",
}));

/** What the tests of the pages look at them with; midcall itself needs no browser. */
export const CHROMIUM: Tool = { program: "chromium", package: "chromium", says: "--version" };

const execute = promisify(execFile);

/** Tries everything; never rejects. */
export async function examine(): Promise<Check[]> {
  const checks: Promise<Check>[] = [
    attempt("Node.js", "sim", "npm install node@24", async () => {
      const [major = 0] = process.versions.node.split(".").map(Number);
      if (major < 24) throw new Error(`${process.version}, want 24 or newer`);
      return process.version;
    }),
    attempt("virtual-time laboratory", "sim", "npm ci", simulates),
    attempt("Opus (libopus-wasm)", "sim", "npm ci", encodes),
    attempt("QUIC (@matrixai/quic, native)", "relay and client", "npm ci --include=optional", async () => {
      await import("@matrixai/quic/native/index.js");
      return `${process.platform}-${process.arch}`;
    }),
    spare(
      "Codec2 (libcodec2)",
      "relay and client",
      installCommand(CODEC2_PACKAGES.slice(0, 1)),
      "Opus takes its tier",
      codec2IsThere,
    ),
    attempt("Linux", "netns", null, async () => {
      if (platform() !== "linux") throw new Error(`this is ${platform()}`);
      return "network namespaces";
    }),
    attempt("root", "netns", "sudo -i", async () => {
      if (process.getuid?.() !== 0) throw new Error(`user id ${process.getuid?.() ?? "unknown"}`);
      return "user id 0";
    }),
    ...TOOLS.map((one) => tool(one.program, [one.says], "netns", installCommand([one.package]))),
    attempt("network namespaces", "netns", null, makesNamespace),
    attempt("nftables in the kernel", "netns", moduleCommand("nf_tables"), () => inNamespace(NFT_PROBE)),
    // The link drivers: one of the two is needed.
    attempt("macvtap", "netns", moduleCommand("macvtap"), () => inNamespace(MACVTAP_PROBE)),
    spare("netem", "netns", moduleCommand("sch_netem"), "the link emulator on macvtap does it", () => inNamespace(NETEM_PROBE)),
    spare("tun", "netns", moduleCommand("tun"), "macvtap is used", () => inNamespace(TUN_PROBE)),
    attempt("Docker daemon", "docker", daemonRemedy(), daemonVersion),
    ...PROMETHEUS_TOOLS.map((one) => tool(one.program, [one.says], "dashboards", installCommand([one.package]))),
  ];
  return Promise.all(checks);
}

async function codec2IsThere(): Promise<string> {
  const codec2 = loadCodec2();
  if ("reason" in codec2) throw new Error(codec2.reason);
  return codec2.name;
}

/** Whether everything that `sim` needs is there. */
export const canSimulate = (checks: readonly Check[]): boolean => checks.every((check) => check.ok || check.for !== "sim");

/** The commands that would get what is missing, each once; those of apt are joined into one. */
export function remedies(checks: readonly Check[]): string[] {
  const fixes = [
    ...new Set(checks.flatMap(({ ok, optional, fix }) => (ok || optional || fix === null || fix === "sudo -i" ? [] : [fix]))),
  ];
  const apt = "apt-get install -y ";
  const packages = fixes.filter((fix) => fix.startsWith(apt)).map((fix) => fix.slice(apt.length));
  const rest = fixes.filter((fix) => !fix.startsWith(apt));
  return packages.length === 0 ? rest : [...rest, "apt-get update", apt + packages.join(" ")];
}

async function attempt(part: string, need: Check["for"], fix: string | null, probe: () => Promise<string>): Promise<Check> {
  try {
    return { part, for: need, ok: true, detail: await probe(), fix: null };
  } catch (error) {
    const [detail = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    return { part, for: need, ok: false, detail, fix };
  }
}

/** A program in the PATH that answers to a harmless question; `install` gets it. */
async function tool(name: string, words: readonly string[], need: Check["for"], install: string): Promise<Check> {
  try {
    const { stdout, stderr } = await execute(name, words, { timeout: 10_000 });
    return { part: name, for: need, ok: true, detail: (stdout || stderr).trim().split("\n")[0] ?? "", fix: null };
  } catch (error) {
    const { code, stderr, message } = error as NodeJS.ErrnoException & { readonly stderr?: string };
    if (code === "ENOENT") return { part: name, for: need, ok: false, detail: "not in the PATH", fix: install };
    return { part: name, for: need, ok: false, detail: (stderr?.trim() || message).split("\n")[0] ?? "", fix: install };
  }
}

/** The shortest scenario of the catalogue, without codec and cryptography. */
async function simulates(): Promise<string> {
  const [{ catalogue }, { runSim }, { sizedCodec }, { nullCrypto }] = await Promise.all([
    import("./scenario-choice.ts"),
    import("../sim/lab.ts"),
    import("../sim/sized-codec.ts"),
    import("../sim/null-crypto.ts"),
  ]);
  const [scenario] = [...(await catalogue())].sort((a, b) => a.duration - b.duration);
  if (scenario === undefined) throw new Error("the catalogue is empty");
  const outcome = runSim({ scenario, seed: 1, keep: false }, { codec: sizedCodec, crypto: nullCrypto });
  if (outcome.crashed !== undefined) throw new Error(outcome.crashed);
  return `${scenario.name}: ${(outcome.virtualMs / 1_000).toFixed(1)} s simulated`;
}

async function encodes(): Promise<string> {
  const [{ loadOpusWasm }, { FRAME_SAMPLES, GOOD }] = await Promise.all([
    import("../impl/io/opus-wasm.ts"),
    import("../impl/core/codec.ts"),
  ]);
  const engine = await loadOpusWasm({ encoders: 1, decoders: 1 });
  const encoder = engine.encoder(GOOD);
  const decoder = engine.decoder();
  const decoded = decoder.decode(encoder.encode(new Int16Array(FRAME_SAMPLES)));
  encoder.free();
  decoder.free();
  if (decoded?.length !== FRAME_SAMPLES) throw new Error("a frame did not survive encoding and decoding");
  return engine.version;
}

/** A part that has a substitute. */
async function spare(
  part: string,
  need: Check["for"],
  fix: string | null,
  instead: string,
  probe: () => Promise<string>,
): Promise<Check> {
  const check = await attempt(part, need, fix, probe);
  return check.ok ? check : { ...check, detail: `${instead}; ${check.detail}`, optional: true };
}

/** What each part of the kernel is asked to do in a namespace that is thrown away. */
const NFT_PROBE =
  "nft 'table ip probe { map m { type inet_service : inet_service; }; chain c { type filter hook prerouting priority raw; }; }'";
const MACVTAP_PROBE = "ip link add p0 type veth peer name p1 && ip link add link p0 name p2 type macvtap mode passthru";
const NETEM_PROBE = "tc qdisc add dev lo root netem delay 1ms";
const TUN_PROBE = "ip tuntap add dev p0 mode tun";

async function inNamespace(script: string): Promise<string> {
  try {
    await execute("unshare", ["--net", "sh", "-c", script], { timeout: 10_000 });
  } catch (error) {
    const { stderr, message } = error as Error & { readonly stderr?: string };
    throw new Error(stderr?.trim().split("\n").at(0) || message);
  }
  return "works";
}

/** The command that has the kernel load a module; null where the kernel has none to load. */
const moduleCommand = (module: string): string | null =>
  existsSync(`/lib/modules/${release()}/modules.dep`) ? `modprobe ${module}` : null;

/** Makes a network namespace and throws it away; containers often forbid that even to root. */
async function makesNamespace(): Promise<string> {
  if (!existsSync("/proc/self/ns/net")) throw new Error("the kernel has none");
  await execute("unshare", ["--net", "true"], { timeout: 10_000 });
  return "may be made";
}

/**
 * The main job on real input: a relay and two clients as real processes on loopback, real QUIC through a 25 ms link each way,
 * real speech through real Opus and real encryption; the relay is killed mid-call and comes back after three seconds.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LogRecord, Saying } from "../impl/base/record.ts";
import { openUdpProxy, type UdpProxy } from "../impl/io/udp-proxy.ts";
import { readWav } from "../impl/io/wav.ts";
import { assess } from "../reports/index.ts";
import { readLog } from "../reports/read-log.ts";
import type { Result } from "../reports/result.ts";
import { CATALOGUE } from "../scenarios/catalogue.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const monotonic = (): number => Number(process.hrtime.bigint() / 1_000n);
/** chosen: the kill comes after five seconds of call, the return three seconds later, as in the scenario. */
const CALL_BEFORE_KILL_MS = 5_000;
const DOWN_MS = 3_000;
const CALL_AFTER_RETURN_MS = 5_000;

type Child = { readonly process: ChildProcess; line(pattern: RegExp): Promise<RegExpExecArray>; exited: Promise<number | null> };

/** One midcall process whose output can be waited for. */
function midcall(folder: string, ...words: string[]): Child {
  const child = spawn(process.execPath, [here("./midcall.mjs"), ...words], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  const waiting: { pattern: RegExp; found: (match: RegExpExecArray) => void }[] = [];
  const look = (): void => {
    for (const one of [...waiting]) {
      const match = one.pattern.exec(text);
      if (match === null) continue;
      waiting.splice(waiting.indexOf(one), 1);
      one.found(match);
    }
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      look();
    });
  }
  const exited = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  return {
    process: child,
    exited,
    line: (pattern) =>
      new Promise((found, lost) => {
        waiting.push({ pattern, found });
        look();
        void exited.then(() => lost(new Error(`no ${pattern} in:\n${text}`)));
      }),
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("a call over loopback QUIC whose relay is killed and comes back", () => {
  let folder = "";
  let records: LogRecord[] = [];
  let result: Result;
  const proxies: UdpProxy[] = [];
  const children: Child[] = [];
  const heard = new Map<string, Int16Array>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "midcall-loopback-"));
    const epoch = String(monotonic());
    const since = (): number => monotonic() - Number(epoch);
    const harness: LogRecord[] = [];
    const say = (saying: Saying): void => void harness.push({ t: since(), who: "lab", ...saying } as LogRecord);
    const scenario = CATALOGUE.find((one) => one.name === "relay-restart");
    if (scenario === undefined) throw new Error("relay-restart is not in the catalogue");
    say({
      ev: "run",
      schema: "midcall/log@1",
      scenario: scenario.name,
      lab: "process",
      seed: "0x0",
      codec: "real",
      crypto: "real",
    });

    const startRelay = (port: string): Child => {
      const child = midcall(
        folder,
        "relay",
        "--listen",
        `127.0.0.1:${port}`,
        "--name",
        "r1",
        "--log",
        "r1.ndjson",
        "--epoch",
        epoch,
      );
      children.push(child);
      return child;
    };
    const relay = startRelay("0");
    const [, address = ""] = await relay.line(/listening (\S+)/);
    const [, pin = ""] = await relay.line(/pin (\S+)/);
    const client = async (name: string, ...words: string[]): Promise<Child> => {
      const proxy = await openUdpProxy({ target: address, delayMillis: 25, lossRatio: 0, seed: 1 });
      proxies.push(proxy);
      const shared = ["--relay", proxy.local, "--pin", pin, "--identity", `${name}.id`, "--name", name, "--epoch", epoch];
      const child = midcall(folder, "client", ...shared, "--log", `${name}.ndjson`, "--record", `${name}.wav`, ...words);
      children.push(child);
      await child.line(/registration registered/);
      return child;
    };
    const bob = await client("bob", "--answer", "trusted", "--speech", here("../scenarios/speech/speech-b.wav"));
    const [, fingerprint = ""] = await bob.line(/fingerprint (\S+)/);
    const alice = await client("alice", "--call", fingerprint, "--speech", here("../scenarios/speech/speech-a.wav"));
    await alice.line(/call \S+ active/);
    await pause(CALL_BEFORE_KILL_MS);

    const fault = { ev: "fault", fault: 0, kind: "kill", target: "r1", label: "kill r1" } as const;
    relay.process.kill("SIGKILL");
    await relay.exited;
    say({ ...fault, state: "applied" });
    harness.push({ t: since(), who: "r1", ev: "process", state: "killed" });
    await pause(DOWN_MS);
    const again = startRelay(address.split(":")[1] ?? "");
    await again.line(/listening/);
    say({ ...fault, state: "healed" });
    await pause(CALL_AFTER_RETURN_MS);

    const calledEnded = bob.line(/call \S+ ended/);
    alice.process.kill("SIGINT");
    await Promise.all([alice.exited, calledEnded]);
    bob.process.kill("SIGINT");
    await bob.exited;
    again.process.kill("SIGINT");
    await again.exited;
    say({ ev: "end", reason: "finished" });

    const logs = await Promise.all(["r1", "alice", "bob"].map((name) => readFile(join(folder, `${name}.ndjson`), "utf8")));
    records = [...harness, ...logs.flatMap((text) => readLog(text).records)].sort((a, b) => a.t - b.t);
    for (const name of ["alice", "bob"]) heard.set(name, await readWav(join(folder, `${name}.wav`)));
    const facts = {
      hash: "",
      versions: { midcall: "", node: process.version, commit: "" },
      virtualMs: since() / 1_000,
      wallMs: 0,
      dir: "",
    };
    result = assess({ ...facts, scenario, records, codec: "real", crypto: "real", lab: "process", seed: "0x0" });
  }, 90_000);

  afterAll(async () => {
    for (const child of children) child.process.kill("SIGKILL");
    for (const proxy of proxies) await proxy.close();
    await rm(folder, { recursive: true, force: true });
  });

  const verdictOf = (oracle: string): unknown => result.oracles.find((one) => one.name === oracle);

  it("is the same call afterwards, with media back in both directions within 500 ms of the relay's return", () => {
    expect(verdictOf("media-recovers")).toMatchObject({ verdict: "held" });
    expect(verdictOf("same-call")).toMatchObject({ verdict: "held" });
    expect(result.measurements.recovery.map((one) => one.party).sort()).toEqual(["alice", "bob"]);
  });

  it("repeats no nonce, opens nothing twice, has one supervisor, frees everything", () => {
    for (const oracle of ["no-nonce-reuse", "no-double-decrypt", "one-supervisor", "everything-freed"])
      expect(verdictOf(oracle), oracle).toMatchObject({ verdict: "held" });
  });

  it("is heard: speech before the kill, quiet while the relay is down, speech again after it", () => {
    for (const [name, pcm] of heard) {
      const rms = (fromSeconds: number, toSeconds: number): number => {
        const part = pcm.subarray(fromSeconds * 48_000, toSeconds * 48_000);
        return Math.sqrt(part.reduce((sum, sample) => sum + sample * sample, 0) / part.length);
      };
      const end = pcm.length / 48_000;
      expect(rms(0.5, 4.5), `${name} before`).toBeGreaterThan(300);
      expect(rms(6, 7.5), `${name} while down`).toBeLessThan(10);
      expect(rms(end - 4, end - 0.5), `${name} after`).toBeGreaterThan(300);
    }
  });
});

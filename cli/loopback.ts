/**
 * The main job on real input: a relay and two clients as real processes on loopback, real QUIC through a 25 ms link each way,
 * real speech through real Opus and real encryption; the relay is killed mid-call and comes back after three seconds.
 * One log comes of it, judged like any other run. Used by the test and by `midcall bench sim`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { watch } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LogRecord, Saying } from "../impl/base/record.ts";
import { openUdpProxy, type UdpProxy } from "../impl/io/udp-proxy.ts";
import { readWav } from "../impl/io/wav.ts";
import { assess } from "../reports/index.ts";
import { readLog } from "../reports/read-log.ts";
import type { Result } from "../reports/result.ts";
import { CATALOGUE } from "../scenarios/catalogue.ts";
import { ENDS_WITH_PARENT } from "./parent.ts";

export type LoopbackRun = {
  readonly result: Result;
  readonly records: readonly LogRecord[];
  /** What each client recorded, 48 kHz mono. */
  readonly heard: ReadonlyMap<string, Int16Array>;
};

const asset = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const monotonic = (): number => Number(process.hrtime.bigint() / 1_000n);
/** One way, so that client and relay are 50 ms of round trip apart. */
export const LINK_DELAY_MS = 25;
/** As in the scenario: three seconds down. chosen: as much call on each side as a listener needs. */
const CALL_BEFORE_KILL_MS = 5_000;
const DOWN_MS = 3_000;
const CALL_AFTER_RETURN_MS = 5_000;
/** No step takes longer on a machine that works. */
const STEP_LIMIT_MS = 20_000;

type Child = {
  readonly process: ChildProcess;
  readonly exited: Promise<number | null>;
  line(pattern: RegExp): Promise<RegExpExecArray>;
};

/** One midcall process whose output can be waited for. */
function midcall(folder: string, words: readonly string[]): Child {
  const child = spawn(process.execPath, [asset("./midcall.mjs"), ...words], {
    cwd: folder,
    env: { ...process.env, [ENDS_WITH_PARENT]: "1" },
    // A session of its own: Ctrl-C is for this process, which then ends its children. They notice by the channel when it is gone without a word.
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const waiting = new Set<() => void>();
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      for (const look of waiting) look();
    });
  }
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const line = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        done();
        reject(new Error(`midcall ${words[0]}: ${why}, no ${pattern} in:\n${text}`));
      };
      const limit = setTimeout(() => fail(`${STEP_LIMIT_MS} ms passed`), STEP_LIMIT_MS);
      const look = (): void => {
        const match = pattern.exec(text);
        if (match === null) return;
        done();
        resolve(match);
      };
      const done = (): void => {
        clearTimeout(limit);
        waiting.delete(look);
      };
      waiting.add(look);
      void exited.then(() => waiting.has(look) && fail("it ended"));
      look();
    });
  return { process: child, exited, line };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves when `file` holds `count` matches of `pattern`. */
async function until(file: string, pattern: RegExp, count: number): Promise<void> {
  const aborted = AbortSignal.timeout(STEP_LIMIT_MS);
  await new Promise<void>((resolve, reject) => {
    const look = async (): Promise<void> => {
      const text = await readFile(file, "utf8");
      if ((text.match(pattern)?.length ?? 0) < count) return;
      watcher.close();
      resolve();
    };
    const watcher = watch(file, () => void look());
    aborted.addEventListener("abort", () => {
      watcher.close();
      reject(new Error(`${file}: fewer than ${count} times ${pattern}`));
    });
    void look();
  });
}

/**
 * Runs the call and returns its log, verdict and recordings. Every process and socket it opened is gone afterwards, also when `signal` is
 * aborted, which rejects, and when this process is killed.
 */
export async function runLoopback(signal?: AbortSignal): Promise<LoopbackRun> {
  const scenario = CATALOGUE.find((one) => one.name === "relay-restart");
  if (scenario === undefined) throw new Error("relay-restart is not in the catalogue");
  const folder = await mkdtemp(join(tmpdir(), "midcall-loopback-"));
  const children: Child[] = [];
  const proxies: UdpProxy[] = [];
  const epoch = monotonic();
  const harness: LogRecord[] = [];
  const say = (who: string, saying: Saying): void => void harness.push({ t: monotonic() - epoch, who, ...saying } as LogRecord);
  let isOver = false;
  const start = (...words: string[]): Child => {
    if (isOver) throw new Error("interrupted");
    const child = midcall(folder, [...words, "--epoch", String(epoch)]);
    children.push(child);
    return child;
  };
  const startRelay = (port: string): Child =>
    start("relay", "--listen", `127.0.0.1:${port}`, "--name", "r1", "--log", "r1.ndjson");
  const play = async (): Promise<LoopbackRun> => {
    say("lab", {
      ev: "run",
      schema: "midcall/log@1",
      scenario: scenario.name,
      lab: "process",
      seed: "0x0",
      codec: "real",
      crypto: "real",
      jitterBuffer: scenario.jitterBuffer,
    });
    const relay = startRelay("0");
    const [, host = "", port = ""] = await relay.line(/listening (\S+):(\d+)/);
    const [, pin = ""] = await relay.line(/pin (\S+)/);
    const client = async (name: string, ...words: string[]): Promise<Child> => {
      const proxy = await openUdpProxy({ target: `${host}:${port}`, delayMillis: LINK_DELAY_MS, lossRatio: 0, seed: 1 });
      proxies.push(proxy);
      const whom = ["--relay", proxy.local, "--pin", pin, "--identity", `${name}.id`, "--name", name];
      // By the relay, whose death it is about: on one machine there is always a direct path, unless it has no address that is worth a candidate.
      whom.push("--jitter-buffer", scenario.jitterBuffer, "--ice-transport-policy", "relay");
      const child = start("client", ...whom, "--log", `${name}.ndjson`, "--record", `${name}.wav`, ...words);
      await child.line(/registration registered/);
      return child;
    };
    const bob = await client("bob", "--answer", "trusted", "--speech", asset("../scenarios/speech/speech-b.wav"));
    const [, fingerprint = ""] = await bob.line(/fingerprint (\S+)/);
    const alice = await client("alice", "--call", fingerprint, "--speech", asset("../scenarios/speech/speech-a.wav"));
    await alice.line(/call \S+ active/);
    await pause(CALL_BEFORE_KILL_MS);

    const fault = { ev: "fault", fault: 0, kind: "kill", target: "r1", label: "kill r1" } as const;
    relay.process.kill("SIGKILL");
    await relay.exited;
    say("lab", { ...fault, state: "applied" });
    say("r1", { ev: "process", state: "killed" });
    await pause(DOWN_MS);
    const again = startRelay(port);
    await again.line(/listening/);
    say("lab", { ...fault, state: "healed" });
    await pause(CALL_AFTER_RETURN_MS);

    const hungUpAt = monotonic() - epoch;
    const ended = bob.line(/call \S+ ended/);
    alice.process.kill("SIGINT");
    await Promise.all([alice.exited, ended]);
    bob.process.kill("SIGINT");
    await bob.exited;
    await until(join(folder, "r1.ndjson"), /"ev":"session".*"state":"closed"/g, 2);
    again.process.kill("SIGINT");
    await again.exited;
    say("lab", { ev: "end", reason: "finished" });

    const logs = await Promise.all(["r1", "alice", "bob"].map((name) => readFile(join(folder, `${name}.ndjson`), "utf8")));
    const records = [...harness, ...logs.flatMap((text) => readLog(text).records)].sort((a, b) => a.t - b.t);
    const heard = new Map<string, Int16Array>();
    for (const name of ["alice", "bob"]) heard.set(name, await readWav(join(folder, `${name}.wav`)));
    const virtualMs = (monotonic() - epoch) / 1_000;
    const versions = { midcall: "", node: process.version, commit: "" };
    const facts = { hash: "", versions, virtualMs, wallMs: Math.round(virtualMs), dir: "", seed: "0x0" };
    // The steps above wait for processes, not for the scenario's clock: the plan ends when the call was hung up.
    const planned = { ...scenario, duration: hungUpAt };
    const result = assess({ ...facts, scenario: planned, records, codec: "real", crypto: "real", lab: "process" });
    return { result, records, heard };
  };
  const interrupted = new Promise<never>((_, reject) => {
    signal?.addEventListener("abort", () => reject(new Error("interrupted")), { once: true });
  });
  const played = play();
  played.catch(() => undefined); // after an interruption it fails for want of its processes, which is nobody's concern
  try {
    signal?.throwIfAborted();
    return await Promise.race([played, interrupted]);
  } finally {
    isOver = true;
    for (const child of children) child.process.kill("SIGKILL");
    for (const proxy of proxies) await proxy.close();
    await rm(folder, { recursive: true, force: true });
  }
}

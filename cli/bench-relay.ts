/**
 * What one relay process carries, on one core: our relay over real QUIC, beside a plain UDP echo in Node.js as the floor and coturn as a peer (a
 * TURN relay, RFC 8656: no encryption of its own). Everything is on loopback, and all clients are in this process, whose packets leave at their instants
 * (paced-sender.ts). What is measured has a processor of its own.
 */
import { spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Address, parseAddress } from "../impl/base/address.ts";
import { installMissing } from "../netns/install.ts";
import { putBack, putFirst } from "../netns/precedence.ts";
import { openLoadSocket, readInTurn } from "./load-socket.ts";
import { droppedAt, type MeasuredProcess, startMeasured } from "./measured-process.ts";
import { putThreadFirst, shareOut } from "./own-core.ts";
import { type PacedSender, pacedSender } from "./paced-sender.ts";
import { relayClients } from "./relay-clients.ts";
import { type Flood, flood } from "./relay-flood.ts";
import { openTurnPairs } from "./turn-pairs.ts";
import { type Carried, PACKET_BYTES, voiceLoad } from "./voice-load.ts";

export type RelayFigure = Carried & {
  readonly name: string;
  /** Clients that are there, and calls among them. */
  readonly clients: number;
  readonly calls: number;
  /** Lost because the process's socket had no room: the process did not read in time. */
  readonly droppedAtSocket: number;
  /** ... and at this process's own sockets: not the relay's doing. */
  readonly droppedAtLoad: number;
  /** Sessions lost meanwhile. */
  readonly lostSessions: number;
  /** Processor time of the process, seconds. */
  readonly cpuSeconds: number;
  /** ... and of this one, whose own turns are in every delay. */
  readonly loadCpuSeconds: number;
  readonly packetsPerCpuSecond: number;
  readonly bytesPerClient?: number;
  /** `residentAfter`: ten seconds after the last handshake of the flood has timed out. */
  readonly flood?: Flood & { readonly residentAfter: number };
};

export type RelayBench = { readonly figures: readonly RelayFigure[]; readonly leftOut: readonly string[] };

export type RelayBenchOptions = { readonly clients: number; readonly calls: number; readonly seconds: number };

/** The load that a relay has to carry: 10,000 packets a second for a minute. */
export const FULL: RelayBenchOptions = { clients: 1_000, calls: 100, seconds: 60 };
/** chosen: compilers and caches are warm by then. */
const WARM_UP_S = 5;
const COTURN = { program: "turnserver", package: "coturn", says: "--version" } as const;

export async function benchRelay(
  options: RelayBenchOptions,
  stage: (name: string) => void,
  signal: AbortSignal,
): Promise<RelayBench> {
  const pace = await pacedSender();
  const [figures, leftOut]: [RelayFigure[], string[]] = [[], []];
  try {
    await benchAll(options, pace, stage, signal, { figures, leftOut });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await pace.close();
  }
  if (signal.aborted) leftOut.push("interrupted: what is missing here was not measured");
  return { figures, leftOut };
}

/** Adds what is measured as it is: an interrupted run still tells what it has. */
async function benchAll(
  options: RelayBenchOptions,
  pace: PacedSender,
  stage: (name: string) => void,
  signal: AbortSignal,
  { figures, leftOut }: { readonly figures: RelayFigure[]; readonly leftOut: string[] },
): Promise<void> {
  const measure = async (name: string, bench: () => Promise<RelayFigure>): Promise<void> => {
    signal.throwIfAborted();
    stage(name);
    const figure = await bench();
    signal.throwIfAborted(); // half a run is none
    figures.push(figure);
  };
  await measure("a plain UDP echo", () => benchEcho(options, pace, signal));
  await measure(`relay: ${options.clients} clients, ${options.calls} calls`, () => benchOurs(options, pace, signal, stage));
  await measure("relay: the same in a flood", () =>
    benchOurs({ ...options, seconds: Math.min(options.seconds, 30) }, pace, signal, stage, {
      garbage: 100_000,
      halfOpen: 10_000,
    }),
  );
  stage("coturn");
  await installMissing((line) => stage(line), [COTURN]);
  if (spawnSync(COTURN.program, ["--version"]).error === undefined)
    await measure("coturn", () => benchCoturn(options, pace, signal));
  else leftOut.push(`coturn left out: this machine has no ${COTURN.program} (Debian's package ${COTURN.package})`);
}

/** Warms up, measures, and sets the process's costs beside what it has carried. */
async function measured(
  name: string,
  under: MeasuredProcess,
  ports: { readonly its: number; readonly ours: readonly number[] },
  pace: PacedSender,
  { clients, calls, seconds }: RelayBenchOptions,
  carry: (seconds: number) => Promise<Carried>,
  meanwhile?: () => Promise<void>,
): Promise<RelayFigure> {
  // Both before the machine's other work, and the thread that sends before the one that prepares.
  await Promise.all([putFirst(under.pid), putFirst(process.pid)]);
  await putThreadFirst(pace.thread);
  const putTogether = await shareOut(under.pid);
  try {
    await Promise.race([carry(WARM_UP_S), under.lost]);
    const dropped = (): Promise<readonly [number, number]> => Promise.all([droppedAt([ports.its]), droppedAt(ports.ours)]);
    const [cpu, [itsBefore, oursBefore]] = [await under.cpuSeconds(), await dropped()];
    const own = process.cpuUsage();
    const [carried] = await Promise.race([Promise.all([carry(seconds), meanwhile?.()]), under.lost]);
    const { user, system } = process.cpuUsage(own);
    const cpuSeconds = (await under.cpuSeconds()) - cpu;
    const [its, ours] = await dropped();
    return {
      name,
      clients,
      calls,
      ...carried,
      droppedAtSocket: its - itsBefore,
      droppedAtLoad: ours - oursBefore,
      lostSessions: 0,
      cpuSeconds,
      loadCpuSeconds: (user + system) / 1_000_000,
      packetsPerCpuSecond: carried.received / cpuSeconds,
    };
  } finally {
    await putTogether();
    await putBack(process.pid);
  }
}

const ECHO = `
const socket = require("node:dgram").createSocket({ type: "udp4", recvBufferSize: 1 << 20, lookup: (name, _, done) => done(null, name, 4) });
socket.on("message", (packet, from) => socket.send(packet, from.port, from.address));
socket.bind(0, "127.0.0.1", () => console.log("port " + socket.address().port));
`;

async function benchEcho(options: RelayBenchOptions, pace: PacedSender, signal: AbortSignal): Promise<RelayFigure> {
  const echo = await startMeasured(process.execPath, ["-e", ECHO]);
  const socket = openLoadSocket("127.0.0.1", PACKET_BYTES);
  const stopReading = readInTurn([socket]);
  try {
    const port = Number((await echo.line("port ")).split(" ")[1]);
    const at = { host: "127.0.0.1", port };
    const load = voiceLoad(2 * options.calls, pace, (_, packet, slot) => {
      socket.slot = slot;
      socket.send(packet, at);
    });
    socket.listen({
      heard: (packet, _, stamp) => load.arrived(packet, stamp),
      oversized: () => undefined,
      refused: () => undefined,
      readable: () => {
        while (socket.read() > 0);
      },
    });
    const ports = { its: port, ours: [socket.local.port] };
    return await measured("plain UDP echo (Node.js)", echo, ports, pace, options, (seconds) => load.run(seconds, signal));
  } finally {
    stopReading();
    await socket.close();
    await echo.end();
  }
}

async function benchOurs(
  options: RelayBenchOptions,
  pace: PacedSender,
  signal: AbortSignal,
  stage: (name: string) => void,
  thrown?: { readonly garbage: number; readonly halfOpen: number },
): Promise<RelayFigure> {
  const folder = await mkdtemp(join(tmpdir(), "midcall-bench-relay-"));
  const relay = await startMeasured(process.execPath, [
    fileURLToPath(new URL("midcall.mjs", import.meta.url)),
    ...["relay", "--listen", "127.0.0.1:0", "--state", join(folder, "state")],
  ]);
  try {
    const address = (await relay.line("listening ")).split(" ")[1] as Address;
    const pin = (await relay.line("pin ")).split(" ")[1] ?? "";
    const port = parseAddress(address)?.port ?? 0;
    const empty = await relay.residentBytes();
    const load = voiceLoad(2 * options.calls, pace, (sender, packet, slot) => clients.send(sender, packet, slot));
    const clients = await relayClients({ address, pin }, options.clients, load.arrived, signal);
    const ports = { its: port, ours: clients.ports };
    try {
      await pause(2_000, undefined, { signal });
      const bytesPerClient = ((await relay.residentBytes()) - empty) / options.clients;
      await clients.call(options.calls);
      const run = (seconds: number): Promise<Carried> => load.run(seconds, signal);
      if (thrown === undefined) {
        const figure = await measured("midcall relay (QUIC)", relay, ports, pace, options, run);
        return { ...figure, lostSessions: clients.lost, bytesPerClient };
      }
      // Each has connection IDs of its own, as a stranger's would; made beforehand, for that takes more of a processor than sending them.
      const { firstFlight } = await import("./first-flights.ts");
      const flights = Array.from({ length: thrown.halfOpen }, () => firstFlight({ host: "127.0.0.1", port }));
      let told: Flood | undefined;
      const figure = await measured("midcall relay in a flood", relay, ports, pace, options, run, async () => {
        told = await flood(relay, { port, garbage: thrown.garbage, flights, seconds: options.seconds * 0.7 }, signal);
      });
      stage("relay: after the flood");
      const settled = await restingMemory(relay, signal);
      return { ...figure, lostSessions: clients.lost, bytesPerClient, flood: { ...(told as Flood), residentAfter: settled } };
    } finally {
      await clients.close();
    }
  } finally {
    await relay.end();
    await rm(folder, { recursive: true, force: true });
  }
}

/** After the handshake limit of 4 s and ten seconds more. */
async function restingMemory(relay: MeasuredProcess, signal: AbortSignal): Promise<number> {
  await pause(14_000, undefined, { signal });
  return relay.residentBytes();
}

async function benchCoturn(options: RelayBenchOptions, pace: PacedSender, signal: AbortSignal): Promise<RelayFigure> {
  const folder = await mkdtemp(join(tmpdir(), "midcall-bench-coturn-"));
  const probe = createSocket("udp4");
  probe.bind(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  await new Promise<void>((resolve) => probe.close(resolve));
  const coturn = await startMeasured(COTURN.program, [
    ...["-n", "--no-auth", "--no-tls", "--no-dtls", "--no-cli", "--allow-loopback-peers", "--no-tcp", "--no-tcp-relay"],
    ...["-L", "127.0.0.1", "-E", "127.0.0.1", "-p", String(port), "-m", "1", "--log-file", "stdout"],
    ...["--pidfile", join(folder, "pid"), "--userdb", join(folder, "db"), "--no-rfc5780", "--simple-log"],
  ]);
  try {
    const empty = await coturn.residentBytes();
    const load = voiceLoad(2 * options.calls, pace, (sender, packet, slot) => pairs.send(sender, packet, slot));
    const pairs = await openTurnPairs(port, options.calls, load.arrived);
    try {
      const bytesPerClient = ((await coturn.residentBytes()) - empty) / (2 * options.calls);
      const fair = { ...options, clients: 2 * options.calls };
      const ports = { its: port, ours: pairs.ports };
      const figure = await measured("coturn (TURN, channels)", coturn, ports, pace, fair, (seconds) => load.run(seconds, signal));
      return { ...figure, bytesPerClient };
    } finally {
      await pairs.close();
    }
  } finally {
    await coturn.end();
    await rm(folder, { recursive: true, force: true });
  }
}

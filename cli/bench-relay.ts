/**
 * What one relay process carries, on one core: our relay over real QUIC, beside a plain UDP echo in Node.js as the floor and coturn as a peer (a
 * TURN relay, RFC 8656: no encryption of its own). Everything is on loopback, and all clients are in this process.
 */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Address, parseAddress } from "../impl/base/address.ts";
import { Stream } from "../impl/base/random.ts";
import { openUdpSocket } from "../impl/io/udp-socket.ts";
import { installMissing } from "../netns/install.ts";
import { putBack, putFirst } from "../netns/precedence.ts";
import { droppedAt, type MeasuredProcess, startMeasured } from "./measured-process.ts";
import { relayClients } from "./relay-clients.ts";
import { openTurnPairs } from "./turn-pairs.ts";
import { type Carried, voiceLoad } from "./voice-load.ts";

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
  readonly flood?: Flood;
};

/** What was thrown at the relay while it carried calls. */
export type Flood = {
  readonly garbage: number;
  readonly halfOpen: number;
  readonly residentBefore: number;
  readonly residentAtWorst: number;
  /** Ten seconds after the last handshake of the flood has timed out. */
  readonly residentAfter: number;
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
  const figures: RelayFigure[] = [];
  const leftOut: string[] = [];
  stage("a plain UDP echo");
  figures.push(await benchEcho(options, signal));
  stage(`relay: ${options.clients} clients, ${options.calls} calls`);
  figures.push(await benchOurs(options, signal, stage));
  stage("relay: the same in a flood");
  figures.push(
    await benchOurs({ ...options, seconds: Math.min(options.seconds, 30) }, signal, stage, {
      garbage: 100_000,
      halfOpen: 10_000,
    }),
  );
  stage("coturn");
  await installMissing((line) => stage(line), [COTURN]);
  if (spawnSync(COTURN.program, ["--version"]).error !== undefined)
    leftOut.push(`coturn left out: this machine has no ${COTURN.program} (Debian's package ${COTURN.package})`);
  else figures.push(await benchCoturn(options, signal));
  return { figures, leftOut };
}

/** Warms up, measures, and sets the process's costs beside what it has carried. */
async function measured(
  name: string,
  under: MeasuredProcess,
  ports: { readonly its: number; readonly ours: readonly number[] },
  { clients, calls, seconds }: RelayBenchOptions,
  carry: (seconds: number) => Promise<Carried>,
  meanwhile?: () => Promise<void>,
): Promise<RelayFigure> {
  // Both before the machine's other work: two threads of one rank and two processors, so neither waits for the other.
  await Promise.all([putFirst(under.pid), putFirst(process.pid)]);
  try {
    await carry(WARM_UP_S);
    const dropped = (): Promise<readonly [number, number]> => Promise.all([droppedAt([ports.its]), droppedAt(ports.ours)]);
    const [cpu, [itsBefore, oursBefore]] = [await under.cpuSeconds(), await dropped()];
    const own = process.cpuUsage();
    const [carried] = await Promise.all([carry(seconds), meanwhile?.()]);
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
    await putBack(process.pid);
  }
}

const ECHO = `
const socket = require("node:dgram").createSocket({ type: "udp4", recvBufferSize: 1 << 20, lookup: (name, _, done) => done(null, name, 4) });
socket.on("message", (packet, from) => socket.send(packet, from.port, from.address));
socket.bind(0, "127.0.0.1", () => console.log("port " + socket.address().port));
`;

async function benchEcho(options: RelayBenchOptions, signal: AbortSignal): Promise<RelayFigure> {
  const echo = await startMeasured(process.execPath, ["-e", ECHO]);
  const socket = await openUdpSocket({ host: "127.0.0.1", port: 0, stamps: true });
  try {
    const port = Number((await echo.line("port ")).split(" ")[1]);
    const at = { host: "127.0.0.1", port };
    const load = voiceLoad(2 * options.calls, (_, packet) => socket.send(packet, at), socket.flush);
    socket.listen({
      heard: (packet, _, stamp) => load.arrived(packet, stamp),
      oversized: () => undefined,
      refused: () => undefined,
      readable: () => void socket.read(),
    });
    const ports = { its: port, ours: [socket.local.port] };
    return await measured("plain UDP echo (Node.js)", echo, ports, options, (seconds) => load.run(seconds, signal));
  } finally {
    await socket.close();
    await echo.end();
  }
}

async function benchOurs(
  options: RelayBenchOptions,
  signal: AbortSignal,
  stage: (name: string) => void,
  flood?: { readonly garbage: number; readonly halfOpen: number },
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
    const load = voiceLoad(
      2 * options.calls,
      (sender, packet) => clients.send(sender, packet),
      () => clients.flush(),
    );
    const clients = await relayClients({ address, pin }, options.clients, load.arrived);
    const ports = { its: port, ours: clients.ports };
    try {
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      const bytesPerClient = ((await relay.residentBytes()) - empty) / options.clients;
      await clients.call(options.calls);
      const run = (seconds: number): Promise<Carried> => load.run(seconds, signal);
      if (flood === undefined) {
        const figure = await measured("midcall relay (QUIC)", relay, ports, options, run);
        return { ...figure, lostSessions: clients.lost, bytesPerClient };
      }
      // Each has connection IDs of its own, as a stranger's would; made beforehand, for that takes more of a processor than sending them.
      const { firstFlight } = await import("./first-flights.ts");
      const flights = Array.from({ length: flood.halfOpen }, () => firstFlight({ host: "127.0.0.1", port }));
      let told: Flood | undefined;
      const figure = await measured("midcall relay in a flood", relay, ports, options, run, async () => {
        told = await throwAt(relay, port, flood.garbage, flights, options.seconds * 0.7);
      });
      stage("relay: after the flood");
      const settled = await restingMemory(relay);
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
async function restingMemory(relay: MeasuredProcess): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 14_000));
  return relay.residentBytes();
}

/** Octets. */
const LARGEST_GARBAGE = 1_200;
/** Where garbage is cut from. */
const NOISE_BYTES = 1 << 20;

/** Garbage and `flights`, first packets of handshakes that nobody goes on with, evenly over so many seconds. */
async function throwAt(
  relay: MeasuredProcess,
  port: number,
  garbage: number,
  flights: readonly Uint8Array[],
  seconds: number,
): Promise<Flood> {
  const luck = new Stream(7, "flood");
  const to = { host: "127.0.0.1", port };
  const socket = await openUdpSocket({ host: "127.0.0.9", port: 0 });
  const ignored = (): void => undefined;
  socket.listen({ heard: ignored, oversized: ignored, refused: ignored, readable: () => void socket.read() });
  const noise = new Uint8Array(randomBytes(NOISE_BYTES));
  const halfOpen = flights.length;
  const residentBefore = await relay.residentBytes();
  let residentAtWorst = residentBefore;
  const began = performance.now();
  let [thrown, opened] = [0, 0];
  while (thrown < garbage || opened < halfOpen) {
    const share = Math.min(1, (performance.now() - began) / (seconds * 1_000));
    for (; thrown < Math.floor(garbage * share); thrown++) {
      const at = luck.nextBelow(noise.length - LARGEST_GARBAGE);
      socket.send(noise.subarray(at, at + 1 + luck.nextBelow(thrown % 4 === 0 ? LARGEST_GARBAGE : 90)), to);
    }
    for (; opened < Math.floor(halfOpen * share); opened++) socket.send(flights[opened] as Uint8Array, to);
    socket.flush();
    if (thrown % 5_000 < 50) residentAtWorst = Math.max(residentAtWorst, await relay.residentBytes());
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await socket.close();
  return {
    garbage,
    halfOpen,
    residentBefore,
    residentAtWorst: Math.max(residentAtWorst, await relay.residentBytes()),
    residentAfter: 0,
  };
}

async function benchCoturn(options: RelayBenchOptions, signal: AbortSignal): Promise<RelayFigure> {
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
    const load = voiceLoad(
      2 * options.calls,
      (sender, packet) => pairs.send(sender, packet),
      () => undefined,
    );
    const pairs = await openTurnPairs(port, options.calls, load.arrived);
    try {
      const bytesPerClient = ((await coturn.residentBytes()) - empty) / (2 * options.calls);
      const fair = { ...options, clients: 2 * options.calls };
      const ports = { its: port, ours: pairs.ports };
      const figure = await measured("coturn (TURN, channels)", coturn, ports, fair, (seconds) => load.run(seconds, signal));
      return { ...figure, bytesPerClient };
    } finally {
      await pairs.close();
    }
  } finally {
    await coturn.end();
    await rm(folder, { recursive: true, force: true });
  }
}

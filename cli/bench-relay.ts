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
import { reclaimMemory } from "../impl/io/reclaim.ts";
import { installMissing } from "../netns/install.ts";
import { putBack, putFirst } from "../netns/precedence.ts";
import { firstFlight } from "./first-flights.ts";
import { openLoadSocket, readInTurn } from "./load-socket.ts";
import { droppedAt, type MeasuredProcess, startMeasured } from "./measured-process.ts";
import { putThreadFirst, shareOut } from "./own-core.ts";
import { type PacedSender, pacedSender } from "./paced-sender.ts";
import { relayClients } from "./relay-clients.ts";
import { type Flood, flood } from "./relay-flood.ts";
import type { Resident } from "./resident-memory.ts";
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
  readonly flood?: Flood & { readonly after: Resident; readonly rest: Rest };
  /** Of the last flood: the relay with the same sessions and calls and nobody saying anything, before the first packet of voice and of a flood, and after the last. */
  readonly atRest?: { readonly before: Resident; readonly after: Resident };
};

/** Voice while a flood's memory is given back: lengths and counts as in Carried. */
export type Rest = Pick<Carried, "seconds" | "sent" | "received">;

export type RelayBench = { readonly figures: readonly RelayFigure[]; readonly leftOut: readonly string[] };

export type RelayBenchOptions = {
  readonly clients: number;
  readonly calls: number;
  readonly seconds: number;
  /** How many, one after the other, at one relay. */
  readonly floods: number;
};

/** The load that a relay has to carry: 10,000 packets a second for a minute. chosen: of three floods the last shows whether the second has left anything. */
export const FULL: RelayBenchOptions = { clients: 1_000, calls: 100, seconds: 60, floods: 3 };
/** One flood. chosen: with 4,760 datagrams and 476 handshakes a second the calls' relay needs nine tenths of a core. */
const FLOOD = { garbage: 100_000, halfOpen: 10_000, seconds: 21 };
/** After a flood, until memory is looked at: 4 s until its last handshake has timed out (DEFAULT_SESSION), 5 s until the relay gives memory back, 5 s until it does so as a last resort (impl/io/reclaim.ts), and some. */
const REST_S = 20;
/** chosen: compilers and caches are warm by then. */
const WARM_UP_S = 5;
const COTURN = { program: "turnserver", package: "coturn", says: "--version" } as const;

/** `told`: each part as soon as it is measured, with all that was before it. */
export async function benchRelay(
  options: RelayBenchOptions,
  stage: (name: string) => void,
  told: (part: RelayFigure, all: RelayBench) => void,
  signal: AbortSignal,
): Promise<RelayBench> {
  const pace = await pacedSender();
  const [figures, leftOut]: [RelayFigure[], string[]] = [[], []];
  const tell = (figure: RelayFigure): void => {
    signal.throwIfAborted(); // half a run is none
    figures.push(figure);
    told(figure, { figures, leftOut });
  };
  try {
    await benchAll(options, pace, stage, signal, tell, (what) => leftOut.push(what));
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await pace.close();
  }
  if (signal.aborted) leftOut.push("interrupted: what is missing here was not measured");
  return { figures, leftOut };
}

async function benchAll(
  options: RelayBenchOptions,
  pace: PacedSender,
  stage: (name: string) => void,
  signal: AbortSignal,
  tell: (figure: RelayFigure) => void,
  leaveOut: (what: string) => void,
): Promise<void> {
  const { clients, calls } = options;
  stage("a plain UDP echo");
  tell(await benchEcho(options, pace, signal));
  stage(`relay: ${clients} clients, ${calls} calls`);
  await withRelay(options, pace, signal, async ({ relay, ports, lost, bytesPerClient, carry }) => {
    const figure = await measured("midcall relay (QUIC)", relay, ports, pace, options, { carry });
    tell({ ...figure, lostSessions: lost(), bytesPerClient });
  });
  stage("coturn");
  await installMissing((line) => stage(line), [COTURN]);
  if (spawnSync(COTURN.program, ["--version"]).error === undefined) tell(await benchCoturn(options, pace, signal));
  else leaveOut(`coturn left out: this machine has no ${COTURN.program} (Debian's package ${COTURN.package})`);
  stage(`relay: ${options.floods} floods while it carries the same`);
  // Each has connection IDs of its own, as a stranger's would; the relay has forgotten those of one flood at the next. Made beforehand, and the engine's memory of them collected: whoever goes
  // before all others and then has to wait for V8's helpers to collect half a gigabyte reads nothing for minutes.
  const flights = Array.from({ length: FLOOD.halfOpen }, () => firstFlight({ host: "127.0.0.1", port: 9 }));
  await reclaimMemory();
  await withRelay(options, pace, signal, (open) => benchFloods(options, flights, pace, signal, stage, tell, open));
}

/** What a process under measurement has to do. */
type Work = {
  readonly carry: (seconds: number) => Promise<Carried>;
  /** What else goes on while it is measured, and what follows at once. */
  readonly meanwhile?: () => Promise<void>;
  readonly afterwards?: () => Promise<void>;
};

/** Warms up, measures, and sets the process's costs beside what it has carried. */
async function measured(
  name: string,
  under: MeasuredProcess,
  ports: { readonly its: number; readonly ours: readonly number[] },
  pace: PacedSender,
  { clients, calls, seconds }: RelayBenchOptions,
  { carry, meanwhile, afterwards }: Work,
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
    await Promise.race([afterwards?.(), under.lost]);
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
    return await measured("plain UDP echo (Node.js)", echo, ports, pace, options, {
      carry: (seconds) => load.run(seconds, signal),
    });
  } finally {
    stopReading();
    await socket.close();
    await echo.end();
  }
}

/** A relay with clients that are registered, and calls among them. */
type OpenRelay = {
  readonly relay: MeasuredProcess;
  readonly port: number;
  readonly ports: { readonly its: number; readonly ours: readonly number[] };
  readonly bytesPerClient: number;
  readonly lost: () => number;
  readonly carry: (seconds: number) => Promise<Carried>;
};

async function withRelay(
  options: RelayBenchOptions,
  pace: PacedSender,
  signal: AbortSignal,
  use: (open: OpenRelay) => Promise<void>,
): Promise<void> {
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
    try {
      await pause(2_000, undefined, { signal });
      const bytesPerClient = ((await relay.residentBytes()) - empty) / options.clients;
      await clients.call(options.calls);
      await use({
        ...{ relay, port, bytesPerClient, ports: { its: port, ours: clients.ports } },
        lost: () => clients.lost,
        carry: (seconds) => load.run(seconds, signal),
      });
    } finally {
      await clients.close();
    }
  } finally {
    await relay.end();
    await rm(folder, { recursive: true, force: true });
  }
}

/** One flood after the other, at rest in between; its calls go on all the time. */
async function benchFloods(
  options: RelayBenchOptions,
  flights: readonly Uint8Array[],
  pace: PacedSender,
  signal: AbortSignal,
  stage: (name: string) => void,
  tell: (figure: RelayFigure) => void,
  { relay, port, ports, lost, bytesPerClient, carry }: OpenRelay,
): Promise<void> {
  const atRest = async (): Promise<Resident> => {
    await pause(REST_S * 1_000, undefined, { signal });
    return relay.resident();
  };
  const before = await atRest();
  const order = { port, garbage: FLOOD.garbage, flights, seconds: FLOOD.seconds };
  for (let n = 1; n <= options.floods; n++) {
    stage(`relay: flood ${n} of ${options.floods}`);
    let thrown: Flood | undefined;
    let rest: Rest | undefined;
    const figure = await measured(
      `midcall relay in flood ${n} of ${options.floods}`,
      relay,
      ports,
      pace,
      { ...options, seconds: FLOOD.seconds },
      {
        carry,
        meanwhile: async () => {
          thrown = await flood(relay, order, signal);
        },
        afterwards: async () => {
          rest = await carry(REST_S);
        },
      },
    );
    if (thrown === undefined || rest === undefined) return; // interrupted
    const { seconds, sent, received } = rest as Rest;
    const after = await relay.resident();
    tell({
      ...figure,
      lostSessions: lost(),
      bytesPerClient,
      flood: { ...(thrown as Flood), after, rest: { seconds, sent, received } },
      ...(n === options.floods ? { atRest: { before, after: await atRest() } } : {}),
    });
  }
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
      const figure = await measured("coturn (TURN, channels)", coturn, ports, pace, fair, {
        carry: (seconds) => load.run(seconds, signal),
      });
      return { ...figure, bytesPerClient };
    } finally {
      await pairs.close();
    }
  } finally {
    await coturn.end();
    await rm(folder, { recursive: true, force: true });
  }
}

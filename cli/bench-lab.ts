/**
 * How long the laboratories on a real kernel take to be there and to be gone again: the network alone, with the parties as processes, and with the parties in
 * containers. Two clients behind a NAT each, a relay on the internet, and with the classifier's hosts eight network namespaces.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { anyDaemon, isDaemonInstalled } from "../netns/docker/daemon.ts";
import { dockerLacks } from "../netns/docker/docker-lacks.ts";
import { type Lack, lacks } from "../netns/install.ts";
import { runNetns } from "../netns/lab.ts";
import type { Launcher } from "../netns/launcher.ts";
import { NetnsError } from "../netns/netns-error.ts";
import { buildTopology } from "../netns/topology.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { scenario } from "../scenarios/index.ts";
import { CliError, lacking } from "./exit.ts";
import { median } from "./processor-time.ts";

/** What one laboratory took. */
export type LabFigure = {
  readonly lab: "network" | "netns" | "docker";
  readonly rounds: number;
  readonly up: Time;
  readonly down: Time;
  /** What it is compared with, the least that this machine can do towards it, and how long that takes up and down. */
  readonly floor: { readonly what: string; readonly upMs: number; readonly downMs: number };
};

export type Time = {
  readonly medianMs: number;
  readonly worstMs: number;
  /** What it must not take longer than; null: nothing is promised. */
  readonly limitMs: number | null;
  /** Medians: against the limit, and against the floor. */
  readonly timesLimit: number | null;
  readonly timesFloor: number;
};

export type LabBench = {
  readonly figures: readonly LabFigure[];
  /** Laboratories that were left out, and what this machine lacks for them. */
  readonly leftOut: readonly { readonly lab: string; readonly lacks: string }[];
};

/** chosen: enough for a median, and half a minute in all. */
const ROUNDS = 9;

/** The run is over as soon as everything is there: shorter than anybody may ask for. */
const SCENARIO: Scenario = {
  ...scenario({
    name: "bench-lab",
    asks: "How long does it take to be there and gone?",
    duration: "1s",
    parties: { alice: { nat: "home" }, bob: { nat: "home" } },
    calls: [],
    expect: [],
  }),
  duration: 100_000,
};

/** CliError `lacking` when not even plain namespaces can be had, or the machine refuses what it has. */
export async function benchLab(announce: (name: string) => void, interrupted: AbortSignal): Promise<LabBench> {
  try {
    return await benchAll(announce, interrupted);
  } catch (error) {
    throw error instanceof NetnsError ? new CliError("lacking", error.message, error) : error;
  }
}

async function benchAll(announce: (name: string) => void, interrupted: AbortSignal): Promise<LabBench> {
  /** Between rounds it can be interrupted: nothing is there then. */
  const stage = (name: string): void => {
    interrupted.throwIfAborted();
    announce(name);
  };
  const [lack] = await lacks();
  if (lack !== undefined) throw lacking(`bench lab needs ${lack.what}`, lack.command ?? "see midcall doctor");
  const namespaces = await measure(stage, "empty namespaces", emptyNamespaces);
  const bare = { what: "as many empty namespaces", ...medians(namespaces) };
  const figures = [
    figure("network", await measure(stage, "network", network), bare, { up: 600, down: 200 }),
    figure("netns", await measure(stage, "netns", () => whole(undefined)), bare, { up: null, down: null }),
  ];
  const docker = isDaemonInstalled() ? [] : await dockerLacks();
  if (docker.length > 0) return { figures, leftOut: [{ lab: "docker", lacks: docker.map(wordsOf).join("; ") }] };
  const daemon = await anyDaemon();
  try {
    const { containerLauncher } = await import("../netns/docker/launch-container.ts");
    const one = await measure(stage, "one container", () => emptyContainer(containerLauncher()));
    const times = await measure(stage, "docker", () => whole(containerLauncher()));
    figures.push(figure("docker", times, { what: "one container", ...medians(one) }, { up: 3_000, down: null }));
  } finally {
    await daemon.stop();
  }
  return { figures, leftOut: [] };
}

const wordsOf = ({ what, command }: Lack): string => (command === null ? what : `${what}; to get it: ${command}`);

type Lap = { readonly upMs: number; readonly downMs: number };

async function measure(stage: (name: string) => void, name: string, lap: () => Promise<Lap>): Promise<readonly Lap[]> {
  const laps: Lap[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    stage(`${name}, ${round + 1} of ${ROUNDS}`);
    laps.push(await lap());
  }
  return laps;
}

async function lapOf(up: () => Promise<() => Promise<unknown>>): Promise<Lap> {
  const began = performance.now();
  const down = await up();
  const there = performance.now();
  await down();
  return { upMs: there - began, downMs: performance.now() - there };
}

const newRun = (): string => randomBytes(4).toString("hex");

/** The namespaces of the network and nothing in them. */
async function emptyNamespaces(): Promise<Lap> {
  const run = newRun();
  const batch = async (word: string): Promise<unknown> => {
    const done = promisify(execFile)("ip", ["-batch", "-"]);
    done.child.stdin?.end(Array.from({ length: 8 }, (_, k) => `netns ${word} mc-${run}-${k}\n`).join(""));
    return done;
  };
  return lapOf(async () => {
    await batch("add");
    return () => batch("del");
  });
}

/** Everything between parties except the impairments: every NAT has been classified. */
const network = (): Promise<Lap> =>
  lapOf(async () => {
    const { nats, parties } = SCENARIO;
    const topology = await buildTopology({ run: newRun(), nats, parties, seed: 1 });
    return () => topology.close();
  });

async function emptyContainer(launcher: Launcher): Promise<Lap> {
  return lapOf(async () => {
    await launcher.adopt?.(newRun(), ["alice"], tmpdir());
    return async () => launcher.close?.();
  });
}

/** A whole run. Rejects when its parties fail. */
async function whole(launcher: Launcher | undefined): Promise<Lap> {
  const folder = await mkdtemp(join(tmpdir(), "midcall-bench-"));
  try {
    const outcome = await runNetns({
      ...{ scenario: SCENARIO, seed: 1, folder, speech: new Map() },
      ...(launcher === undefined ? {} : { launcher }),
    });
    if (outcome.upMs === undefined || outcome.crashed !== undefined) throw new Error(outcome.crashed ?? "the run never began");
    return { upMs: outcome.upMs, downMs: outcome.downMs };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Limits = { readonly up: number | null; readonly down: number | null };

const figure = (lab: LabFigure["lab"], laps: readonly Lap[], floor: LabFigure["floor"], limits: Limits): LabFigure => ({
  lab,
  rounds: laps.length,
  up: time(
    laps.map((lap) => lap.upMs),
    limits.up,
    floor.upMs,
  ),
  down: time(
    laps.map((lap) => lap.downMs),
    limits.down,
    floor.downMs,
  ),
  floor,
});

function time(all: readonly number[], limitMs: number | null, floorMs: number): Time {
  const medianMs = median(all);
  return {
    medianMs,
    worstMs: Math.max(...all),
    limitMs,
    timesLimit: limitMs === null ? null : medianMs / limitMs,
    timesFloor: medianMs / floorMs,
  };
}

const medians = (laps: readonly Lap[]): Lap => ({
  upMs: median(laps.map((lap) => lap.upMs)),
  downMs: median(laps.map((lap) => lap.downMs)),
});

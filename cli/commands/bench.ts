/** `midcall bench`: figures measured on this machine. */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import type { Pointed } from "../bench-cause.ts";
import type { EngineFigure } from "../bench-engines.ts";
import type { ExploreWatch } from "../bench-explore.ts";
import type { FecCost } from "../bench-fec-cost.ts";
import type { GridReport } from "../bench-grid-run.ts";
import type { LabFigure, Time } from "../bench-lab.ts";
import type { Recovery } from "../bench-recovery.ts";
import type { RelayBench, RelayFigure } from "../bench-relay.ts";
import type { SimBench } from "../bench-sim.ts";
import { type Context, example } from "../context.ts";
import { EXIT, usage } from "../exit.ts";
import type { Resident } from "../resident-memory.ts";
import { catalogue } from "../scenario-choice.ts";
import { wholeArgument } from "../seed.ts";
import type { Terminal } from "../terminal.ts";
import { commit } from "../version.ts";
import type { Percentiles } from "../voice-load.ts";

const SUBJECTS = "want midcall bench sim, lab, relay, explore, jitter, neteq, fec, codec, aead or cause";

export function addBench(root: Command, { terminal, end }: Context): void {
  root
    .command("bench")
    .description(
      "Measures on this machine. sim: speed and memory of the virtual-time laboratory, and how long a call is silent after its " +
        "relay is back, in sim and between real processes. lab: how long the laboratories on a real kernel take to be there and gone. " +
        "relay: what one relay process carries on one core, beside a UDP echo and coturn, and in a flood. " +
        "explore: seeds a second, and shrinking. " +
        "codec, aead: every engine side by side. jitter: the same traces and speech through every jitter buffer, beside Chromium's NetEq. " +
        "neteq: a real Chromium and ours over the same lists of drops and delays, live (half a minute a line). " +
        "fec: every scheme of forward error correction over the same losses. " +
        "cause: how often the cause line names the right part, over bugs it was made with and others.",
    )
    .argument("<subject>", "sim, lab, relay, explore, jitter, neteq, fec, codec, aead or cause")
    .option("--json", "as JSON")
    .option("--seeds <n>", "neteq: seeds a line, 1 to 100; 1 when not given, with --recorded all there are")
    .option("--seconds <n>", "relay: how long each is loaded; 60 when not given", wholeArgument(1))
    .option(
      "--floods <n>",
      "relay: floods one after the other, three quarters of a minute each; 3 when not given",
      wholeArgument(1),
    )
    .option("--at-once <n>", "neteq: calls at once in one browser, 1 to 8", "1")
    .option(
      "--grid",
      "fec, jitter: loss x burst x jitter, outages and ITU-T G.1050; fec: at equal wire rate and equal added delay",
    )
    .option("--link <words>", "with --grid, and neteq: only links whose names hold these words")
    .option("--scheme <words>", "neteq: only no FEC, LBRR, RED-1 or RED-2, by words of their names")
    .option("--recorded", "neteq: Chromium's figures as this repository keeps them, without a browser")
    .option("--record <file>", "neteq: keep Chromium's figures in this file, beside what it has of other lines")
    .option("--workers <n>", "with --grid: threads; as many as there are processors when not given", wholeArgument(1))
    .option("--csv", "fec: the grid as CSV; jitter: as CSV")
    .option(
      "--out <dir>",
      "fec: the grid, and jitter: write text, CSV, JSON, an HTML page and its drawings as SVG there; relay, explore: JSON, anew after every part",
    )
    .option(
      "--traces <dir>",
      "jitter, neteq, and fec with --grid: also write every list of drops and delays there, and as rtpdump",
    )
    .addHelpText("after", example("midcall bench sim"))
    .action(async (subject: string, options: Options) => {
      await bench(subject, options, terminal);
      end(EXIT.held);
    });
}

/** As `2026-01-31`. */
const today = (): string => new Date().toISOString().slice(0, "2026-01-31".length);

type Options = {
  readonly json?: boolean;
  readonly seeds?: string;
  readonly atOnce: string;
  readonly seconds?: number;
  readonly floods?: number;
  readonly traces?: string;
  readonly grid?: true;
  readonly csv?: true;
  readonly link?: string;
  readonly scheme?: string;
  readonly recorded?: true;
  readonly record?: string;
  readonly workers?: number;
  readonly out?: string;
};

async function bench(subject: string, options: Options, terminal: Terminal): Promise<void> {
  const { json = false, seeds, atOnce, traces, grid, csv, out } = options;
  const stage = (name: string): void => terminal.progress({ stage: name });
  const title = (): string => `${subject}, Node ${process.version}, commit ${commit()}`;
  const head = (): object => ({ schema: `midcall/bench-${subject}@1`, node: process.version, commit: commit() });
  const asJson = (measured: object): string => JSON.stringify({ ...head(), ...measured }, null, 2);
  /** Into the folder that was asked for, in place of what was there, and never half of it. */
  const keep = (measured: object): void => {
    if (out === undefined) return;
    const file = resolve(terminal.folder, out, `${subject}.json`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, `${asJson(measured)}\n`);
    renameSync(`${file}.new`, file);
  };
  const told = (measured: object, lines: () => readonly string[]): void => {
    terminal.quiet();
    if (json) return terminal.out(asJson(measured));
    terminal.out(title());
    for (const line of lines()) terminal.out(`  ${line}`);
  };
  /** A grid: written to a folder where one was asked for, and told. */
  const reported = async ({ measured, csv: asCsv, written, lines }: GridReport): Promise<void> => {
    if (out !== undefined) {
      const { writeBench } = await import("../bench-grid.ts");
      const { files, drawings } = written();
      const whole = new Map([...files, [`${subject}.json`, `${asJson(measured)}\n`]]);
      terminal.err(`written to ${await writeBench(resolve(terminal.folder, out), whole, drawings)}`);
    }
    if (csv !== true) return told(measured, lines);
    terminal.quiet();
    terminal.out(asCsv().trimEnd());
  };
  const isWhole = grid === true || csv === true || out !== undefined || options.link !== undefined;
  if (traces !== undefined) {
    const { tracedLinks, writeTraces } = await import("../write-traces.ts");
    await writeTraces(
      resolve(terminal.folder, traces),
      tracedLinks(subject, grid === true || options.link !== undefined, options.link),
    );
  }
  switch (subject) {
    case "sim": {
      const scenarios = await catalogue();
      const [baseline, restart] = ["baseline", "relay-restart"].map((name) => scenarios.find((one) => one.name === name));
      if (baseline === undefined || restart === undefined) throw new Error("the catalogue has no baseline or relay-restart");
      const measured = await (await import("../bench-sim.ts")).benchSim(baseline, stage, terminal.interrupted);
      const recovery = await (await import("../bench-recovery.ts")).benchRecovery(restart, stage, terminal.interrupted);
      return told({ ...measured, recovery }, () => [...simLines(measured), ...recovery.map(recoveryLine)]);
    }
    case "lab": {
      const measured = await (await import("../bench-lab.ts")).benchLab(stage, terminal.interrupted);
      return told(measured, () => [
        ...measured.figures.flatMap(labLines),
        ...measured.leftOut.map((one) => `${one.lab} left out: this machine lacks ${one.lacks}`),
      ]);
    }
    case "cause": {
      const { accusedBy, planted, pointedAt, tightened } = await import("../bench-cause.ts");
      const pointed: Pointed[] = [];
      for (const bug of planted()) {
        stage(bug.mutation.name);
        pointed.push(await pointedAt(bug, terminal.interrupted));
      }
      const laboratory = (await import("../laboratory.ts")).openLaboratory();
      const tight: { scenario: string; oracle: string; accused: boolean; says: string }[] = [];
      try {
        for (const one of tightened()) {
          stage(`${one.scenario.name} ${one.oracle} within 1 ms`);
          const said = await accusedBy(one, laboratory, terminal.interrupted);
          if (said !== undefined) tight.push({ scenario: one.scenario.name, oracle: one.oracle, ...said });
        }
      } finally {
        await laboratory.close();
      }
      const broke = pointed.filter((one) => one.broke);
      const wrong = broke.filter(({ named, parts }) => !parts.includes(named));
      return told({ pointed, tight }, () => [
        ...[...Map.groupBy(broke, ({ set }) => set)].map(
          ([set, all]) => `${all.filter((one) => !wrong.includes(one)).length} of ${all.length} bugs named rightly: ${set}`,
        ),
        `${tight.filter(({ accused }) => !accused).length} of ${tight.length} sound runs whose limit is a millisecond accuse no part`,
        ...wrong.map((one) => `${one.mutation} is in ${one.component}: ${one.says}`),
        ...tight.flatMap((one) => (one.accused ? [`${one.scenario} with ${one.oracle} within 1 ms: ${one.says}`] : [])),
      ]);
    }
    case "relay": {
      const { benchRelay, FULL } = await import("../bench-relay.ts");
      const wanted = { ...FULL, seconds: options.seconds ?? FULL.seconds, floods: options.floods ?? FULL.floods };
      if (!json) terminal.out(title());
      // Each part as it is measured: whatever ends a run of six minutes takes nothing of what it has found.
      const part = (one: RelayFigure, all: RelayBench): void => {
        terminal.quiet();
        if (!json) for (const line of relayLines(one)) terminal.out(`  ${line}`);
        keep(all);
      };
      const measured = await benchRelay(wanted, stage, part, terminal.interrupted);
      keep(measured);
      terminal.quiet();
      if (json) return told(measured, () => []);
      for (const line of measured.leftOut) terminal.out(`  ${line}`);
      return;
    }
    case "fec": {
      if (isWhole) {
        const { fecGridBench } = await import("../bench-grid-run.ts");
        return reported(await fecGridBench(options, terminal));
      }
      stage("schemes over losses");
      const { compareSchemes, fecTable } = await import("../bench-fec.ts");
      const figures = compareSchemes();
      stage("processor time");
      const cost = (await import("../bench-fec-cost.ts")).benchFecCost();
      return told({ figures, cost }, () => [...fecTable(figures).trimEnd().split("\n"), "", ...cost.map(costLine)]);
    }
    case "jitter": {
      if (isWhole) {
        const { jitterBench } = await import("../bench-grid-run.ts");
        return reported(await jitterBench(options, terminal));
      }
      const { benchJitter, jitterTable } = await import("../bench-jitter.ts");
      const figures = await benchJitter(stage);
      stage("processor time, and an hour");
      const { benchJitterCost, jitterCostLines } = await import("../bench-jitter-cost.ts");
      const cost = await benchJitterCost();
      return told({ figures, cost }, () => [...jitterTable(figures), "", ...jitterCostLines(cost)]);
    }
    case "neteq": {
      const count = seeds === undefined ? undefined : Number(seeds);
      if (count !== undefined && !(Number.isInteger(count) && count >= 1 && count <= 100))
        throw usage(`--seeds ${seeds}: want a whole number, 1 to 100`, SUBJECTS);
      const calls = Number(atOnce);
      if (!(Number.isInteger(calls) && calls >= 1 && calls <= 8))
        throw usage(`--at-once ${atOnce}: want a whole number, 1 to 8`, SUBJECTS);
      const { benchNeteq, chosenLines, neteqTable } = await import("../bench-neteq.ts");
      const { COMMITTED } = await import("../neteq-record.ts");
      const file = (path: string): string => resolve(terminal.folder, path);
      const measured = await benchNeteq(stage, terminal.interrupted, {
        ...{ ...chosenLines(options.link, options.scheme), seeds: count, atOnce: calls },
        ...(options.recorded === true ? { against: COMMITTED } : {}),
        ...(options.record === undefined ? {} : { record: { path: file(options.record), taken: today() } }),
      });
      return told(measured, () => neteqTable(measured));
    }
    case "explore": {
      const scenarios = await catalogue();
      const home = scenarios.find((one) => one.name === "nat-rebind");
      if (home === undefined) throw new Error("the catalogue has no nat-rebind");
      const { benchExplore } = await import("../bench-explore.ts");
      if (!json) terminal.out(title());
      const measured = await benchExplore(scenarios, home, {
        stage,
        signal: terminal.interrupted,
        part: (one, all) => {
          terminal.quiet();
          if (!json) for (const line of exploreLines(one)) terminal.out(`  ${line}`);
          keep(all);
        },
      });
      return json ? told(measured, () => []) : undefined;
    }
    case "codec":
    case "aead": {
      const { benchAead, benchCodec } = await import("../bench-engines.ts");
      stage(`${subject} engines`);
      const figures = await (subject === "codec" ? benchCodec() : benchAead());
      return told({ figures }, () => figures.map(engineLine));
    }
    default:
      throw usage(`midcall bench ${subject}: there is no such subject`, SUBJECTS);
  }
}

const simLines = ({ speed, memory }: SimBench): readonly string[] => [
  ...speed.map(
    (one) =>
      `one relayed two-party call, ${one.codec} codec, ${one.crypto} crypto: ${one.timesRealTime.toFixed(0)} x real time ` +
      `(${one.virtualS.toFixed(0)} s in ${one.wallS.toFixed(3)} s, median of ${one.rounds}; ${one.events} events, ${megabytes(one.logBytes)} of log); ` +
      `${one.timesRealTimeCpu.toFixed(0)} x by processor time (${one.cpuS.toFixed(3)} s), ` +
      `${one.timesFloor.toFixed(1)} x the floor of an empty kernel loop (${one.floorS.toFixed(3)} s)`,
  ),
  `one hour: ${memory.wallS.toFixed(1)} s; live heap ${megabytes(memory.heapAtMinute5)} at minute 5, ${megabytes(memory.heapAtEnd)} at the end ` +
    `(${(memory.growthRatio * 100).toFixed(1)} %)`,
];

const percentileWords = ({ p50, p95, p99, worst }: Percentiles): string =>
  `median ${p50.toFixed(2)} ms, 95 % ${p95.toFixed(2)} ms, 99 % ${p99.toFixed(2)} ms, worst ${worst.toFixed(1)} ms`;

const relayLines = (one: RelayFigure): readonly string[] => [
  `${one.name}: ${one.clients} clients, ${one.calls} calls, ${(one.sent / one.seconds).toFixed(0)} packets/s for ${one.seconds.toFixed(1)} s: ` +
    `${one.sent - one.received} lost (${one.droppedAtSocket} for want of room at its socket, ${one.droppedAtLoad} at the load's own; ${one.lostSessions} sessions lost), ` +
    `${(one.packetsPerCpuSecond / 1_000).toFixed(1)} k forwarded packets per processor second (${((100 * one.cpuSeconds) / one.seconds).toFixed(0)} % of a core; the load ${((100 * one.loadCpuSeconds) / one.seconds).toFixed(0)} % of another)`,
  `  from the load's socket to the kernel's stamp at the receiver's${one.isStamped ? "" : " (no stamps: to when it was read)"}: ${percentileWords(one)} ` +
    `(the load sent late by ${percentileWords(one.late)})` +
    (one.bytesPerClient === undefined ? "" : `; ${(one.bytesPerClient / 1_000).toFixed(0)} kB a client`),
  ...(one.flood === undefined ? [] : [floodLine(one.flood)]),
  ...(one.atRest === undefined
    ? []
    : [
        `  with the same sessions and calls and no voice, resident before it all ${residentWords(one.atRest.before)}, after it all ${residentWords(one.atRest.after)}`,
      ]),
];

const residentWords = ({ all, cHeap }: Resident): string => `${megabytes(all)} (of it ${megabytes(cHeap)} the C library's heap)`;

const floodLine = ({
  garbage,
  halfOpen,
  seconds,
  before,
  residentAtWorst,
  after,
  rest,
}: NonNullable<RelayFigure["flood"]>): string => {
  return (
    `  meanwhile ${garbage} datagrams of garbage and ${halfOpen} half-open handshakes in ${seconds} s, resident before it ${residentWords(before)}, at worst ${megabytes(residentAtWorst)}, ` +
    `${rest.seconds.toFixed(0)} s after it ${residentWords(after)}; ${rest.sent - rest.received} of ${rest.sent} packets lost in those`
  );
};

const costLine = (one: FecCost): string =>
  `${one.scheme.padEnd(16)} ${one.frameUs.toFixed(1).padStart(6)} us a frame, both sides, at 10 % lost ${one.floorRatio.toFixed(2).padStart(6)} x sealing and opening it ` +
  `${one.streamPercent.toFixed(2).padStart(5)} % of a core a stream` +
  (one.hourBytes === null ? "" : `; ${(one.hourBytes / 1_024).toFixed(0)} KiB more after an hour than after five minutes`);

function exploreLines({ core, campaign, schedule, shrink }: Parameters<ExploreWatch["part"]>[0]): readonly string[] {
  return [
    ...(core === undefined
      ? []
      : [
          `one seed, ${core.virtualS.toFixed(0)} s of virtual time: ${core.drawMs.toFixed(1)} ms to draw, ${core.simulateMs.toFixed(1)} ms to simulate, ` +
            `${core.judgeMs.toFixed(1)} ms to judge and ${core.engineMs.toFixed(1)} ms of the engine's own threads, by processor time of ${core.seeds} seeds: ` +
            `${core.timesRealTime.toFixed(0)} x real time on two cores, ${core.ratio.toFixed(2)} x the target`,
        ]),
    ...(campaign === undefined
      ? []
      : [
          `a campaign on two threads: ${campaign.seeds} seeds of ${campaign.virtualS.toFixed(0)} s in ${campaign.wallS.toFixed(1)} s, ` +
            `${campaign.seedsPerS.toFixed(0)} seeds/s, ${campaign.timesRealTime.toFixed(0)} x real time, ${campaign.ratio.toFixed(2)} x the target; ` +
            `${campaign.processorMs.toFixed(1)} ms of processor time a seed, with which two idle cores reach ${campaign.ratioByProcessor.toFixed(2)} x the target; ` +
            `${campaign.violations} violations`,
        ]),
    ...(schedule === undefined
      ? []
      : [
          `schedule ${schedule.seed}: forty faults to ${schedule.faults} in ${schedule.runs} runs, ${schedule.processorS.toFixed(1)} s of processor time`,
        ]),
    ...(shrink === undefined
      ? []
      : [
          `three faults out of forty: exactly three in ${shrink.exactlyThree} of ${shrink.schedules.length}, ${shrink.medianS.toFixed(1)} s of processor time median, ` +
            `${shrink.worstS.toFixed(1)} s worst, ${shrink.medianRuns} runs median`,
        ]),
  ];
}

const recoveryLine = (one: Recovery): string =>
  `heard again after the relay's return, ${one.where}: ${one.medianMs.toFixed(0)} ms median, ${one.worstMs.toFixed(0)} ms worst of ` +
  `${one.samples} (both directions), ${(one.medianMs / one.rttMs).toFixed(1)} round trips of ${one.rttMs} ms`;

const LAB_NAMES: Readonly<Record<LabFigure["lab"], string>> = {
  network: "eight namespaces, two NATs, classified",
  netns: "the whole netns laboratory, parties loaded",
  docker: "the whole docker laboratory, parties loaded",
};

const labLines = ({ lab, up, down, floor, rounds }: LabFigure): readonly string[] => {
  const line = (which: string, one: Time, floorMs: number): string => {
    const limit =
      one.limitMs === null || one.timesLimit === null ? "" : `${one.timesLimit.toFixed(2)} of the limit of ${one.limitMs} ms, `;
    return (
      `${LAB_NAMES[lab]}: ${which} in ${one.medianMs.toFixed(0)} ms median, ${one.worstMs.toFixed(0)} ms worst of ${rounds}; ${limit}` +
      `${one.timesFloor.toFixed(1)} x ${floor.what} (${floorMs.toFixed(0)} ms)`
    );
  };
  return [line("up", up, floor.upMs), line("down", down, floor.downMs)];
};

const engineLine = (one: EngineFigure): string =>
  `${one.task.padEnd(20)} ${one.engine.padEnd(14)} ${one.medianUs.toFixed(2).padStart(8)} us median ${one.p99Us.toFixed(2).padStart(8)} us p99 ` +
  `${one.ratio.toFixed(2).padStart(6)} x the first  ${one.streamPercent.toFixed(2).padStart(5)} % of a core a stream`;

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`;

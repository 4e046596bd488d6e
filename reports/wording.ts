/** The words and figures that every page of a run has in common: its replay command, its failure block, its table of numbers. */
import type { Scenario } from "../scenarios/expanded.ts";
import { printable } from "./escape.ts";
import { inMs, inPercent, instant } from "./finding.ts";
import { decisive } from "./judge.ts";
import type { Condition, Measurements, Observed, OracleResult, Result } from "./result.ts";

/** A result with the scenario it belongs to. */
export type Assessed = { readonly result: Result; readonly scenario: Scenario };

/** The command that runs the same run again. */
export const replayCommand = (result: Result): string => `npx midcall replay ${result.dir}/scenario.json`;

/** Oracles that did not hold, the worst first; for a crash, the crash alone. */
export function notHeld(result: Result): readonly OracleResult[] {
  const first = decisive(result.verdict, result.oracles);
  if (first === undefined) return [];
  if (result.verdict === "crashed") return [first];
  const broken = result.oracles.filter((one) => one.verdict === "broken");
  return [...broken, ...result.oracles.filter((one) => one.verdict === "inconclusive")];
}

/** `5.000 s`, or `never`. */
const atInstant = (ms: number | null): string => (ms === null ? "never" : instant(ms * 1_000));

/**
 * `FAIL relay-restart  oracle=media-recovers  t=12.480 s  seed 0x5f3a  commit 1a2b3c4`, the faults, and how to replay. Lines that a terminal may be shown as they are, whatever the log's words are:
 * a log may have come from elsewhere.
 */
export function reproBlock(result: Result): string[] {
  const first = decisive(result.verdict, result.oracles);
  const word = result.verdict === "inconclusive" ? "UNKNOWN" : "FAIL";
  const head = [
    `${word} ${result.scenario}`,
    `oracle=${first?.name ?? "none"}`,
    ...(first?.atMs === undefined ? [] : [`t=${instant(first.atMs * 1_000)}`]),
    `seed ${result.seed}`,
    `commit ${result.versions.commit}`,
  ];
  const faults = result.conditions.map(
    (one) => `t=${one.appliedMs === null ? "never" : `${(one.appliedMs / 1_000).toFixed(3)}s`} ${one.fault}`,
  );
  return [
    head.join("  "),
    ...(faults.length === 0 ? [] : [`  ${faults.join("   ")}`]),
    `  ${first?.detail ?? ""}`,
    ...(result.culprit === undefined ? [] : [`  look first: ${result.culprit.sentence}`]),
    `replay: ${replayCommand(result)}`,
  ].map(printable);
}

/** What a fault did, for a reader: `412 packets dropped, process killed and restarted`; `no trace`. */
function traces(observed: Observed): string {
  const words = [
    ...(observed.packetsDropped === undefined ? [] : [`${observed.packetsDropped} packets dropped`]),
    ...(observed.packetsTouched === undefined ? [] : [`${observed.packetsTouched} packets touched`]),
    ...(observed.processKilled === true
      ? [observed.processRestarted === true ? "process killed and restarted" : "process killed"]
      : []),
    ...(observed.processDrained === true
      ? [observed.processRestarted === true ? "process drained, exited and restarted" : "process drained and exited"]
      : []),
    ...(observed.processPaused === true
      ? [observed.processResumed === true ? "process paused and resumed" : "process paused"]
      : []),
  ];
  return words.length === 0 ? "no trace" : words.join(", ");
}

/** A condition as cells: fault, asked for, applied, healed, what it did. */
export const conditionCells = (one: Condition): readonly string[] => [
  one.fault,
  one.atMs === null ? "on an event" : atInstant(one.atMs),
  atInstant(one.appliedMs),
  one.healedMs === null ? "not undone" : atInstant(one.healedMs),
  traces(one.observed),
];

/** Heads of conditionCells. */
export const CONDITION_HEADS: readonly string[] = ["Fault", "Asked for", "Applied", "Undone", "Left behind"];

/** One figure per party, ready to print; the first cell names it. */
export type NumberRow = readonly [name: string, ...cells: string[]];

/** The parties the numbers are about, in the order of the scenario. */
export const numberedParties = (scenario: Scenario): string[] => Object.keys(scenario.parties);

/** The table of numbers, one column per party in the order of `parties`; rows in which nobody has a figure are left out. */
export function numberRows(result: Result, parties: readonly string[]): NumberRow[] {
  const { audio, recovery, generations, signal, path, network, fec = {} } = result.measurements;
  const row = (name: string, cell: (party: string) => string | undefined): NumberRow => [
    name,
    ...parties.map((party) => cell(party) ?? ""),
  ];
  const recoveries = result.conditions.flatMap((condition, fault) => {
    const label = result.conditions.length === 1 ? "" : ` (${condition.fault})`;
    const entry = (party: string): Measurements["recovery"][number] | undefined =>
      recovery.find((one) => one.fault === fault && one.party === party);
    const cell = (party: string, which: "fromHealMs" | "fromFaultMs"): string | undefined => {
      const found = entry(party);
      if (found === undefined) return undefined;
      const ms = found[which];
      return ms === null ? "never" : found.stops === 0 ? "did not stop" : inMs(ms);
    };
    return [
      row(`Heard again after the fault${label}`, (party) => cell(party, "fromFaultMs")),
      row(`Heard again after its heal${label}`, (party) => cell(party, "fromHealMs")),
    ];
  });
  const rows = [
    ...recoveries,
    row("Longest gap", (party) => given(audio[party], (one) => inMs(one.longestGapMs))),
    row("Gaps / of 150 ms and more", (party) => given(audio[party], (one) => `${one.gapCount} / ${one.interruptionCount}`)),
    row("Concealed or silent", (party) => given(audio[party], (one) => inPercent(one.concealmentRatio))),
    row("Mouth to ear, median / p95", (party) =>
      given(audio[party], ({ mouthToEarMs: { p50, p95 } }) =>
        p50 === null || p95 === null ? "unknown" : `${inMs(p50)} / ${inMs(p95)}`,
      ),
    ),
    row("Estimated MOS (E-model, provisional)", (party) =>
      given(audio[party], (one) => (one.mos === null ? "none" : one.mos.toFixed(2))),
    ),
    row("Source frames played / expected", (party) =>
      given(audio[party], (one) => `${one.framesPlayed} / ${one.framesExpected}`),
    ),
    row("Sends with / octets on the wire for one of the codec", (party) =>
      given(fec[party], (one) => `${one.scheme} / ${one.wireRatio === null ? "none" : one.wireRatio.toFixed(2)}`),
    ),
    row("Recovered frames played, by what gave them back", (party) =>
      given(fec[party], (one) =>
        Object.entries(one.framesPlayedBy)
          .map(([by, frames]) => `${by} ${frames}`)
          .join(", "),
      ),
    ),
    row("Held longer for it", (party) => given(fec[party], (one) => inMs(one.holdMs))),
    row("Not registered", (party) => given(signal[party], (one) => inMs(one.downMs))),
    row("Reconnects / attempts", (party) => given(signal[party], (one) => `${one.reconnects} / ${one.attempts}`)),
    row("Path", (party) => given(path[party], (steps) => steps.map((one) => one.path).join(", then "))),
    row("Candidate updates applied / refused as stale", (party) =>
      given(generations[party], (one) => (one.delivered === 0 ? undefined : `${one.applied} / ${one.refusedStale}`)),
    ),
    row("UDP packets sent / received", (party) => given(network[party], (one) => `${one.sentPackets} / ${one.receivedPackets}`)),
    row("UDP octets sent", (party) => given(network[party], (one) => String(one.sentBytes))),
    row("UDP packets dropped on its links", (party) => given(network[party], (one) => String(one.lostPackets))),
  ];
  return rows.filter((cells) => cells.slice(1).some((cell) => cell !== ""));
}

const given = <T>(value: T | undefined, cell: (value: T) => string | undefined): string | undefined =>
  value === undefined ? undefined : cell(value);

/** `sim, seed 0x2a, sized codec, null crypto, neteq jitter buffer, 21.0 s of virtual time in 12 ms`. */
export const howItRan = (result: Result): string =>
  [
    result.lab,
    `seed ${result.seed}`,
    `${result.codec} codec`,
    `${result.crypto} crypto`,
    `${result.jitterBuffer} jitter buffer`,
    `${(result.virtualMs / 1_000).toFixed(1)} s of run time in ${(result.wallMs / 1_000).toFixed(2)} s`,
  ].join(", ");

/** `midcall 0.1.0, Node v24.21.0, commit 1a2b3c4`. */
export const whatRan = ({ versions }: Result): string =>
  `midcall ${versions.midcall}, Node ${versions.node}, commit ${versions.commit}`;

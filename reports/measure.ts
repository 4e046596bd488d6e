/** From a log and its scenario to every figure of `result.json`: the one place that runs the measurements, in their order. */
import type { LogRecord } from "../impl/base/record.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { type Delay, delaysOf, measureAudio } from "./audio.ts";
import { callsOf, clientsOf, endOf, type LoggedCall } from "./call-log.ts";
import { measureConditions } from "./conditions.ts";
import { measureFec } from "./fec.ts";
import { accountsOf, type FrameAccount } from "./frame-accounting.ts";
import { measureGenerations } from "./generations.ts";
import { type StreamLog, streamsOf } from "./media-stream-log.ts";
import { measureNetwork } from "./network.ts";
import { measurePath } from "./path.ts";
import { type Playout, playoutsOf } from "./playout.ts";
import { measureRecovery } from "./recovery.ts";
import type { Condition, Measurements } from "./result.ts";
import { measureSignal } from "./signal.ts";
import { measureTiers } from "./tiers.ts";
import { withUnheardSpeech } from "./unheard-speech.ts";

/** A log with everything derived from it that oracles and pages need. */
export type Evidence = {
  readonly scenario: Scenario;
  readonly records: readonly LogRecord[];
  /** End of the log, microseconds. */
  readonly runEnd: number;
  /** Names of the clients. */
  readonly clients: readonly string[];
  readonly calls: readonly LoggedCall[];
  readonly playouts: readonly Playout[];
  readonly delays: ReadonlyMap<Playout, readonly Delay[]>;
  readonly conditions: readonly Condition[];
  /** Every packet of every call from its sealing to the loudspeaker, and what became of each. */
  readonly media: StreamLog & { readonly accounts: readonly FrameAccount[] };
  readonly measurements: Measurements;
};

/** Measures a run. Never throws on a log of well-formed records, whatever they say. */
export function measure(records: readonly LogRecord[], scenario: Scenario): Evidence {
  const runEnd = endOf(records);
  const clients = clientsOf(scenario);
  const calls = callsOf(records, scenario);
  const streams = streamsOf(records);
  const playouts = withUnheardSpeech(playoutsOf(records, calls, runEnd), streams.streams);
  const delays = delaysOf(records, playouts);
  const conditions = measureConditions(records, scenario);
  const fec = measureFec(records, clients);
  const tiers = measureTiers(records, playouts, delays);
  const measurements: Measurements = {
    audio: measureAudio(records, playouts, delays),
    recovery: measureRecovery(conditions, scenario.faults, playouts),
    generations: measureGenerations(records, clients),
    signal: measureSignal(records, clients, runEnd),
    path: measurePath(records, clients),
    network: measureNetwork(records, scenario),
    ...(Object.keys(fec).length === 0 ? {} : { fec }),
    ...(Object.keys(tiers).length === 0 ? {} : { tiers }),
  };
  const media = { ...streams, accounts: accountsOf(records, scenario, streams.streams, runEnd) };
  return { scenario, records, runEnd, clients, calls, playouts, delays, conditions, media, measurements };
}

/** What the live page shows at one moment: the same data as report.html's timeline, of the log so far, and what flows and fails just now. */
import type { LogRecord } from "../../impl/base/record.ts";
import { endOf } from "../../reports/call-log.ts";
import { linesOf } from "../../reports/log-excerpt.ts";
import { measure } from "../../reports/measure.ts";
import type { PageData } from "../../reports/page/data.ts";
import { pageData } from "../../reports/page-data.ts";
import type { Scenario } from "../../scenarios/expanded.ts";

/** Sent to the page; times in microseconds of the run. */
export type Frame = {
  readonly at: number;
  readonly duration: number;
  readonly plot: PageData;
  /** The end of the log. */
  readonly log: PageData["log"];
  /** Voice that arrived during the last second: from whom to whom, and by what path. */
  readonly flows: readonly { readonly from: string; readonly to: string; readonly path: "direct" | "relay" }[];
  /** Faults that are in force. */
  readonly active: readonly { readonly fault: number; readonly label: string; readonly target: string }[];
  readonly isOver: boolean;
};

/** Lines of the log that are sent. chosen: some screens. */
const LINES = 200;
/** Voice is said to flow for so long after it last arrived. */
const FLOWS_FOR = 1_200_000;

/** Of the records up to `at`. */
export function frameOf(scenario: Scenario, all: readonly LogRecord[], at: number, isOver: boolean): Frame {
  const records = all.filter((record) => record.t <= at);
  // Parties are given time to let go after the scenario's end: nothing in it is worth showing.
  const now = Math.min(at, endOf(records), scenario.duration);
  const evidence = measure(records, scenario);
  const plot = pageData(evidence, [], new Map());
  const paths = new Map<string, "direct" | "relay">();
  const active = new Map<number, Frame["active"][number]>();
  for (const record of records) {
    if (record.ev === "path") paths.set(record.who, record.path);
    if (record.ev !== "fault") continue;
    if (record.state === "healed") active.delete(record.fault);
    else active.set(record.fault, { fault: record.fault, label: record.label, target: record.target });
  }
  // What undoes nothing is over as soon as it is done.
  for (const [fault] of active) if (scenario.faults[fault]?.for === null && isMomentary(scenario, fault)) active.delete(fault);
  const flows = evidence.media.streams.flatMap(({ from, to, openedAt }): Frame["flows"][number][] => {
    const last = openedAt.findLast((one) => one !== undefined) ?? Number.NEGATIVE_INFINITY;
    return to !== undefined && now - last < FLOWS_FOR ? [{ from, to, path: paths.get(from) ?? "relay" }] : [];
  });
  const log = linesOf(records)
    .slice(-LINES)
    .map(({ t, who, words, isLoud }) => [t, who, words.slice(0, 240), isLoud ? 1 : 0] as const);
  return {
    at: now,
    duration: scenario.duration,
    plot: { ...plot, end: Math.max(1, now), log: [] },
    log,
    flows,
    active: [...active.values()],
    isOver,
  };
}

const MOMENTARY: ReadonlySet<string> = new Set(["rebind", "renumber", "expire"]);
const isMomentary = ({ faults }: Scenario, fault: number): boolean => MOMENTARY.has(faults[fault]?.kind ?? "");

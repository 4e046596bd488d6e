/** What of a run a person in front of a terminal is told while it goes: faults, processes, registrations, calls, and gaps in what is heard. */
import { instantsOf, type LogRecord } from "../impl/base/record.ts";
import { INTERRUPTION_MS } from "../reports/audio.ts";
import { instant } from "../reports/finding.ts";
import { FRAME_MICROS, isGap } from "../reports/playout.ts";

/** A reader of records in their order; returns the lines that a record gives rise to. */
export function noticing(): (record: LogRecord) => readonly string[] {
  /** By party: since when nothing of the source was played, and until when. */
  const gaps = new Map<string, { since: number; until: number }>();
  const line = (t: number, words: string): string => `${instant(t).padStart(9)}  ${words}`;
  return (record) => {
    switch (record.ev) {
      case "fault":
        return [line(record.t, `⚡ ${record.label}${record.state === "healed" ? " healed" : ""}`)];
      case "registration":
        return record.state === "idle" || record.delayMs !== undefined
          ? []
          : [line(record.t, `${record.who} ${record.state}${record.reason === undefined ? "" : `: ${record.reason}`}`)];
      case "call":
        return [line(record.t, `${record.who} call ${record.state}${record.reason === undefined ? "" : `: ${record.reason}`}`)];
      case "process":
        return record.state === "started" || record.state === "exited" ? [] : [line(record.t, `${record.who} ${record.state}`)];
      case "media-played": {
        const instants = instantsOf(record);
        const [first = record.at] = instants;
        const open = gaps.get(record.who);
        if (isGap(record.kind)) {
          gaps.set(record.who, { since: open?.since ?? first, until: (instants.at(-1) ?? first) + FRAME_MICROS });
          return [];
        }
        gaps.delete(record.who);
        if (open === undefined || (first - open.since) / 1_000 < INTERRUPTION_MS) return [];
        return [line(first, `${record.who} heard nothing for ${Math.round((first - open.since) / 1_000)} ms`)];
      }
      default:
        return [];
    }
  };
}

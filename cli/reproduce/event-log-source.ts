/**
 * A client's own event log as a recording: what one client saw and heard. Of a log with several parties the records of one client are read and
 * nothing else: not those of the laboratory, which knows what it did.
 */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { instantsOf, type LogRecord } from "../../impl/base/record.ts";
import { FRAME_MICROS, isGap, isSource } from "../../reports/playout.ts";
import { readLine } from "../../reports/read-log.ts";
import { usage } from "../exit.ts";
import type { FieldEvent, FieldSource, Sign } from "./field-event.ts";

/** Whose record it is not: laboratory, network. */
const NOBODY = new Set(["lab", "net"]);
/** Frames further apart than this at the loudspeaker: it had run dry. As in reports/playout.ts. */
const DRY = 3 * FRAME_MICROS;

/** Opens the log at `path`, of `party` or of the first client, by name, that heard anything. `word` is what the user called the file. */
export async function eventLogSource(path: string, word: string, party: string | undefined): Promise<FieldSource> {
  const remarks: string[] = [];
  const listeners = new Set<string>();
  let records = 0;
  let bad = 0;
  let firstBad = "";
  for await (const { record, reason, line } of lines(path)) {
    if (record === undefined) {
      if (bad++ === 0) firstBad = `line ${line}: ${reason}`;
      continue;
    }
    records++;
    if (record.ev === "media-played" && !NOBODY.has(record.who)) listeners.add(record.who);
  }
  if (records === 0)
    throw usage(`${word}: no line of it is a record (${firstBad || "it is empty"})`, "want a run.ndjson or a client's --log");
  if (bad > 0) remarks.push(`${bad} lines that are no records were left out (${firstBad})`);
  const named = [...listeners].sort();
  const who = party ?? named[0];
  if (who === undefined) throw usage(`${word}: nobody in this log heard anything`, "want the log of a client that was in a call");
  if (!listeners.has(who)) throw usage(`--party ${who}: it heard nothing in ${word}`, `want one of ${named.join(", ")}`);
  if (party === undefined && listeners.size > 1)
    remarks.push(`the log has ${listeners.size} listeners; this is what ${who} heard (--party chooses another)`);
  return {
    format: "event-log",
    view: `what ${who} heard`,
    remarks,
    async *events() {
      const heard = soundOf(who);
      for await (const { record } of lines(path)) if (record !== undefined) yield* heard(record);
    },
  };
}

/** The events of a log that is at hand, as `who` saw them; sorted by time. */
export function eventsOf(records: readonly LogRecord[], who: string): FieldEvent[] {
  const heard = soundOf(who);
  return records.flatMap((record) => [...heard(record)]).sort((a, b) => a.t - b.t);
}

async function* lines(path: string): AsyncGenerator<{ record?: LogRecord; reason?: string; line: number }> {
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    line++;
    const read = readLine(text);
    yield read.ok ? { record: read.record, line } : { reason: read.reason, line };
  }
}

/** Turns the records of `who`, given one by one, into events. */
function soundOf(who: string): (record: LogRecord) => Iterable<FieldEvent> {
  let call: string | undefined;
  let lastPlayed: number | undefined;
  const direct = new Set<number>();
  return function* (record) {
    if (record.who !== who) return;
    switch (record.ev) {
      case "media-received":
        for (const [index, t] of instantsOf(record).entries()) yield { what: "frame", t, seq: record.seq + index };
        return;
      case "media-played": {
        if (record.call !== call) [call, lastPlayed] = [record.call, undefined];
        // Nothing counts before the first sound of the peer.
        if (lastPlayed === undefined && !isSource(record.kind)) return;
        const instants = instantsOf(record);
        const [from, last] = [instants[0], instants.at(-1)];
        if (from === undefined || last === undefined) return;
        if (lastPlayed !== undefined && from - lastPlayed >= DRY)
          yield { what: "sound", t: lastPlayed + FRAME_MICROS, until: from, isHeard: false };
        lastPlayed = last;
        yield { what: "sound", t: from, until: last + FRAME_MICROS, isHeard: !isGap(record.kind) };
        return;
      }
      case "candidate-pair":
        direct.add(record.session);
        return;
      case "session-stats": {
        const roundTrip = Math.round(record.currentRoundTripTime * 1e6);
        if (!direct.has(record.session)) yield { what: "sample", t: record.t, until: record.t, roundTrip };
        return;
      }
      case "session": {
        if (record.rttMs !== undefined)
          yield { what: "sample", t: record.t, until: record.t, roundTrip: Math.round(record.rttMs * 1_000) };
        const sign = signOf(record.state, record.reason);
        if (sign !== undefined) yield { what: "sign", t: record.t, sign };
        return;
      }
      case "generation":
        if (record.action === "sent") yield { what: "sign", t: record.t, sign: "address" };
        return;
      default:
    }
  };
}

const signOf = (state: string, reason: string | undefined): Sign | undefined => {
  if (state === "silent" || state === "heard" || state === "connecting") return state;
  if (state === "path-changed") return "address";
  return state === "closed" && reason === "reset" ? "reset" : undefined;
};

/**
 * What the rules of cause-*.ts look things up in: messages, sessions, calls and registrations of each party in a log, and when a party was not there to do
 * anything. Built once for a run.
 */
import type { CallRecord, LogRecord, RegistrationRecord, SessionRecord, SignalRecord } from "../impl/base/record.ts";
import type { Evidence } from "./measure.ts";
import type { Component, OracleResult } from "./result.ts";

/**
 * What a rule found: `party` left something undone, or did what it must not, at the instant `at` (microseconds), which is that part's doing. `firm` is a duty of
 * the protocol; `amount` a sum that does not come out; `taste` something that is merely worse than it need be.
 */
export type Clue = {
  readonly at: number;
  readonly component: Component;
  readonly party: string;
  /** Goes on from the part's name. */
  readonly says: string;
  readonly weight: "firm" | "amount" | "taste";
};

export type Message = LogRecord & SignalRecord;
export type Call = LogRecord & CallRecord;
export type Registration = LogRecord & RegistrationRecord;

/** One session at one party. Instants; infinite: never. */
export type Session = {
  readonly who: string;
  readonly id: number;
  readonly opened: number;
  connected: number;
  closed: number;
  reason: string | undefined;
  /** Silent from, until. */
  readonly silences: [from: number, to: number][];
};

export type Books = {
  readonly evidence: Evidence;
  readonly oracles: readonly OracleResult[];
  readonly relays: readonly string[];
  readonly isRelay: (who: string) => boolean;
  readonly side: (who: string) => "relay" | "client";
  readonly of: (who: string) => readonly LogRecord[];
  readonly messages: (who: string) => readonly Message[];
  readonly calls: (who: string) => readonly Call[];
  readonly registrations: (who: string) => readonly Registration[];
  readonly sessions: (who: string) => readonly Session[];
  readonly session: (who: string, id: number, at: number) => Session | undefined;
  /** Whether `who` was killed, paused, starved or told to stop anywhere in this span. */
  readonly wasAway: (who: string, from: number, to: number) => boolean;
  /** Instant from which `who` is told to stop, or the log's end. */
  readonly stopOf: (who: string) => number;
};

/** Around a span in which a process stood still: what was under way. chosen. */
const AROUND = 300_000;

export function booksOf(evidence: Evidence, oracles: readonly OracleResult[]): Books {
  const { records, scenario, runEnd } = evidence;
  const relays = Object.entries(scenario.parties).flatMap(([name, { role }]) => (role === "relay" ? [name] : []));
  const byWho = Map.groupBy(records, ({ who }) => who);
  const of = (who: string): readonly LogRecord[] => byWho.get(who) ?? [];
  const once = <T>(make: (who: string) => T): ((who: string) => T) => {
    const made = new Map<string, T>();
    return (who) => {
      const known = made.get(who);
      if (known !== undefined) return known;
      const fresh = make(who);
      made.set(who, fresh);
      return fresh;
    };
  };
  const sessions = once((who) => sessionsOf(who, of(who)));
  const away = once((who) => awayOf(who, evidence, of(who)));
  const stopOf = once((who) => {
    const held = of(who).find(({ ev }) => ev === "held")?.t;
    return Math.min(runEnd, held ?? runEnd, scenario.duration);
  });
  return {
    evidence,
    oracles,
    relays,
    isRelay: (who) => relays.includes(who),
    side: (who) => (relays.includes(who) ? "relay" : "client"),
    of,
    messages: once((who) => of(who).filter((one): one is Message => one.ev === "signal")),
    calls: once((who) => of(who).filter((one): one is Call => one.ev === "call")),
    registrations: once((who) => of(who).filter((one): one is Registration => one.ev === "registration")),
    sessions,
    session: (who, id, at) => sessions(who).findLast((one) => one.id === id && one.opened <= at),
    wasAway: (who, from, to) => to > stopOf(who) - AROUND || away(who).some((one) => one.from <= to && one.to >= from),
    stopOf,
  };
}

/** A process that starts anew counts its sessions from the first again: each `connecting` or `accepted` begins one. */
function sessionsOf(who: string, records: readonly LogRecord[]): readonly Session[] {
  const all: Session[] = [];
  const open = new Map<number, Session>();
  for (const record of records) {
    if (record.ev === "process" && record.state === "killed") {
      for (const one of open.values()) [one.closed, one.reason] = [record.t, "killed"];
      open.clear();
    }
    if (record.ev !== "session") continue;
    step(who, record, all, open);
  }
  return all;
}

function step(who: string, record: LogRecord & SessionRecord, all: Session[], open: Map<number, Session>): void {
  const { t, session: id, state } = record;
  let one = open.get(id);
  if (one === undefined) {
    one = {
      ...{ who, id, opened: t, reason: undefined, silences: [] },
      ...{ connected: Number.POSITIVE_INFINITY, closed: Number.POSITIVE_INFINITY },
    };
    all.push(one);
    open.set(id, one);
  }
  const silence = one.silences.at(-1);
  if (state === "connected") one.connected = Math.min(one.connected, t);
  else if (state === "silent") one.silences.push([t, Number.POSITIVE_INFINITY]);
  else if (state === "heard" && silence !== undefined) silence[1] = t;
  else if (state === "closed") {
    [one.closed, one.reason] = [t, record.reason];
    open.delete(id);
  }
}

/** Spans in which a party was killed, paused or starved of its processor, with some time around them. */
function awayOf(
  who: string,
  { scenario, runEnd }: Evidence,
  records: readonly LogRecord[],
): readonly { readonly from: number; readonly to: number }[] {
  const spans: { from: number; to: number }[] = [];
  let since: number | undefined;
  for (const record of records) {
    if (record.ev === "stall") spans.push({ from: record.t - record.micros - AROUND, to: record.t + AROUND });
    if (record.ev === "drain") spans.push({ from: record.t, to: record.t + AROUND });
    if (record.ev !== "process") continue;
    if (record.state === "killed" || record.state === "paused" || record.state === "exited") since ??= record.t;
    else if (since !== undefined) {
      spans.push({ from: since - AROUND, to: record.t + AROUND });
      since = undefined;
    }
  }
  if (since !== undefined) spans.push({ from: since - AROUND, to: runEnd });
  for (const fault of scenario.faults) if (fault.kind === "starve" && fault.target === who) spans.push({ from: 0, to: runEnd });
  return spans;
}

/** Whether a session was there for all of a span, and heard. */
export const isThere = (one: Session | undefined, from: number, to: number): boolean =>
  one !== undefined && one.connected <= from && one.closed > to && !one.silences.some(([a, b]) => a <= to && b >= from);

/** Whether a call's callee took it. */
export const isAccepted = ({ calls }: Evidence, call: string | undefined): boolean =>
  calls.some(
    ({ id, parties }) =>
      id === call &&
      [...parties.values()].some((steps) => steps.some(({ state, mode }) => state === "answered" && mode !== "Reject")),
  );

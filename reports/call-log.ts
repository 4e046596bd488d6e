/** Who took part in which call, and when it began and ended for each, read from the log and matched to the scenario's call plan. */
import type { CallRecord, LogRecord } from "../impl/base/record.ts";
import type { Scenario } from "../scenarios/expanded.ts";

/** One change of a call's state at one party; `t` microseconds. */
export type CallStep = {
  readonly t: number;
  readonly state: CallRecord["state"];
  readonly reason?: string;
  readonly mode?: CallRecord["mode"];
};

export type LoggedCall = {
  readonly id: string;
  /** Index into `scenario.calls`, or undefined for a call the plan does not know. */
  readonly plan: number | undefined;
  /** Clients that logged anything about it, in order of appearance. */
  readonly parties: ReadonlyMap<string, readonly CallStep[]>;
};

/** Clients that take part in a planned call, in the order of the plan: those an oracle without `party` asks. */
export const talkersOf = (scenario: Scenario): string[] => [
  ...new Set(scenario.calls.flatMap((call) => [call.caller, call.callee])),
];

/** Names of the scenario's clients, in its order. */
export const clientsOf = (scenario: Scenario): string[] =>
  Object.entries(scenario.parties).flatMap(([name, party]) => (party.role === "client" ? [name] : []));

/** Instant of the log's end: the `end` record, else the latest record. Microseconds. */
export function endOf(records: readonly LogRecord[]): number {
  let latest = 0;
  for (const record of records) {
    if (record.ev === "end") return record.t;
    if (record.t > latest) latest = record.t;
  }
  return latest;
}

/**
 * Every call in the log. A planned call is the first call, not matched yet, that its caller logged as `offering`; calls are
 * matched in order of their planned instants.
 */
export function callsOf(records: readonly LogRecord[], scenario: Scenario): LoggedCall[] {
  const clients = new Set(clientsOf(scenario));
  const steps = new Map<string, Map<string, CallStep[]>>();
  const offers: { id: string; who: string }[] = [];
  for (const record of records) {
    if (!clients.has(record.who)) continue;
    if (record.ev !== "call" && record.ev !== "media-sent" && record.ev !== "media-played") continue;
    const parties = steps.get(record.call) ?? new Map<string, CallStep[]>();
    steps.set(record.call, parties);
    const own = parties.get(record.who) ?? [];
    parties.set(record.who, own);
    if (record.ev !== "call") continue;
    const { t, state, reason, mode } = record;
    own.push({ t, state, ...(reason === undefined ? {} : { reason }), ...(mode === undefined ? {} : { mode }) });
    if (record.state === "offering") offers.push({ id: record.call, who: record.who });
  }
  const plans = new Map<string, number>();
  const order = scenario.calls.map((call, plan) => ({ call, plan })).sort((a, b) => a.call.at - b.call.at);
  for (const { call, plan } of order) {
    const offer = offers.find((one) => one.who === call.caller && !plans.has(one.id));
    if (offer !== undefined) plans.set(offer.id, plan);
  }
  return [...steps].map(([id, parties]) => ({ id, plan: plans.get(id), parties }));
}

/** The other party of a call; undefined while only one has been heard of. */
export function peerOf(call: LoggedCall, party: string): string | undefined {
  for (const name of call.parties.keys()) if (name !== party) return name;
  return undefined;
}

/** First instant a party logged `state` for a call; undefined when it never did. */
export const firstAt = (call: LoggedCall, party: string, state: CallRecord["state"]): number | undefined =>
  call.parties.get(party)?.find((step) => step.state === state)?.t;

/**
 * The step by which a call was over for a party for good; undefined while it is not. A callee whose relay took the caller for lost is rung up again when the
 * caller goes on offering by another relay: that was no end.
 */
export const endingOf = (steps: readonly CallStep[]): CallStep | undefined =>
  steps.find((step, i) => step.state === "ended" && (step.reason !== "peer-lost" || i === steps.length - 1));

/** When a call was over: the first party to log `ended` for good, or the end of the log. Audio after that has no source to play. */
export function endedAt(call: LoggedCall, runEnd: number): number {
  let end = runEnd;
  for (const steps of call.parties.values()) end = Math.min(end, endingOf(steps)?.t ?? end);
  return end;
}

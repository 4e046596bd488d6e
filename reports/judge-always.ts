/** What must hold in every run, whatever its scenario asks. Here: keys, generations, supervisors, leftovers, and that the run tested anything. */
import { leftTrace } from "./conditions.ts";
import { broken, type Finding, held, inconclusive } from "./finding.ts";
import { generationsOf } from "./generations.ts";
import { everyFrameAccounted, packetsInTheirCall } from "./judge-frames.ts";
import { wellInTheEnd } from "./judge-settling.ts";
import { callsEndOnce, reconnectsInOrder } from "./judge-signalling.ts";
import { addressesKeptPrivate, strangersRefused } from "./judge-trust.ts";
import type { Evidence } from "./measure.ts";

/** Judged in every run, in the order they are reported: the invariants of scenarios/oracles.ts. */
export const ALWAYS: readonly (readonly [name: string, judge: (evidence: Evidence) => Finding])[] = [
  ["nothing-crashed", nothingCrashed],
  ["faults-left-a-trace", faultsLeftATrace],
  ["no-nonce-reuse", noNonceReuse],
  ["no-double-decrypt", noDoubleDecrypt],
  ["packets-in-their-call", packetsInTheirCall],
  ["every-frame-accounted", everyFrameAccounted],
  ["no-stale-generation", noStaleGeneration],
  ["one-supervisor", oneSupervisor],
  ["reconnects-in-order", reconnectsInOrder],
  ["calls-end-once", callsEndOnce],
  ["addresses-kept-private", addressesKeptPrivate],
  ["strangers-refused", strangersRefused],
  ["well-in-the-end", wellInTheEnd],
  ["everything-freed", everythingFreed],
];

/**
 * The log closes with `finished` and no process exits on its own while the scenario runs. A log without an end, or with
 * `crashed`, is midcall's own fault; an interrupted one says nothing.
 */
function nothingCrashed({ records, scenario }: Evidence): Finding {
  const end = records.findLast((record) => record.ev === "end");
  if (end?.ev !== "end") return broken("the log has no end: the run died while writing it", records.at(-1)?.t);
  if (end.reason === "crashed") return broken(end.detail ?? "the run crashed", end.t);
  const killed = new Set<string>();
  for (const record of records) {
    if (record.ev === "drain" && record.state !== "begun") killed.add(record.who); // it exits on purpose
    if (record.ev !== "process") continue;
    if (record.state === "killed") killed.add(record.who);
    else if (record.state === "started") killed.delete(record.who);
    else if (record.state === "exited" && record.t < scenario.duration && end.reason === "finished" && !killed.has(record.who))
      return broken(`${record.who} exited on its own${record.detail === undefined ? "" : `: ${record.detail}`}`, record.t);
  }
  return end.reason === "interrupted" ? inconclusive("the run was interrupted") : held("the run finished");
}

/** Every fault of the scenario happened and left a trace; without that, a run that holds has shown nothing. */
function faultsLeftATrace({ conditions }: Evidence): Finding {
  if (conditions.length === 0) return held("no faults asked for");
  const never = conditions.flatMap((one, i) => (one.appliedMs === null ? [`fault ${i} (${one.fault}) never happened`] : []));
  const unseen = conditions.flatMap((one, i) =>
    one.appliedMs !== null && !leftTrace(one.observed) ? [`fault ${i} (${one.fault}) left no trace`] : [],
  );
  const without = [...never, ...unseen];
  return without.length === 0
    ? held(`${conditions.length} of ${conditions.length} faults left a trace`)
    : inconclusive(without.join(", "));
}

/** No (key, packet number) is sent twice, over every packet of every party: that would be a nonce used twice. */
function noNonceReuse({ records }: Evidence): Finding {
  const keys = new Map<string, Ranges>();
  let packets = 0;
  for (const record of records) {
    if (record.ev !== "media-sent") continue;
    const twice = claim(keys, record.key, record);
    if (twice !== undefined) return broken(`${record.who} sent packet ${twice} under key ${record.key} twice`, record.at);
    packets += record.n;
  }
  return held(`${packets} packets under ${keys.size} ${keys.size === 1 ? "key" : "keys"}, no number used twice`);
}

/** No party opens the same (key, packet number) twice: its replay window outlives reconnects. */
function noDoubleDecrypt({ records }: Evidence): Finding {
  const keys = new Map<string, Ranges>();
  let packets = 0;
  for (const record of records) {
    if (record.ev !== "media-received") continue;
    const twice = claim(keys, `${record.who} ${record.key}`, record);
    if (twice !== undefined) return broken(`${record.who} opened packet ${twice} under key ${record.key} twice`, record.at);
    packets += record.n;
  }
  return held(`${packets} packets opened, none twice`);
}

/** No party applies a generation that is not newer than the last one it applied. */
function noStaleGeneration({ records }: Evidence): Finding {
  const all = generationsOf(records);
  const stale = all.find((one) => one.stale);
  if (stale !== undefined)
    return broken(`${stale.record.who} applied generation ${stale.record.generation} which was not newer`, stale.record.t);
  const again = all.find(({ before }) => before !== undefined);
  if (again !== undefined)
    return broken(`${again.record.who} sent generation ${again.record.generation} after ${again.before}`, again.record.t);
  return held(`${all.filter((one) => one.record.action === "applied").length} generations applied, none stale`);
}

/** Two attempts to connect may overlap for so long. chosen: closing the one that was superseded takes no answer from anybody. */
const OVERLAP = 1_000_000;

/**
 * No party ever has two reconnect supervisors at work: by its own count, and by the attempts to connect that go on side by side. Sessions of one attempt, which the registration record
 * before them begins, race over the addresses of one relay (RFC 8305), until one of them is connected.
 */
function oneSupervisor({ scenario, records }: Evidence): Finding {
  let seen = 0;
  // By party, the sessions that are being set up, to whom, and since when a newer one is in their place. A relay dials as many others as it federates with.
  type Attempt = { since: number; readonly remote: string | undefined };
  const attempts = new Map<string, Map<number, Attempt>>();
  for (const record of records) {
    const { who, t } = record;
    if (record.ev === "process" && (record.state === "killed" || record.state === "started")) attempts.delete(who);
    const own = attempts.get(who) ?? new Map<number, Attempt>();
    if (record.ev === "session") {
      attempts.set(who, own);
      const { session, remote } = record;
      const isRelay = scenario.parties[who]?.role === "relay";
      const overtake = (isOvertaken: (one: Attempt) => boolean): void => {
        for (const one of own.values()) if (isOvertaken(one)) one.since = Math.min(one.since, t);
      };
      if (record.state === "closed") own.delete(session);
      else if (record.state === "connected" && own.get(session)?.since === Number.POSITIVE_INFINITY) {
        own.delete(session);
        if (!isRelay) overtake(() => true);
      } else if (record.state === "connecting") {
        overtake((one) => one.remote === remote);
        own.set(session, { since: Number.POSITIVE_INFINITY, remote });
      }
    }
    if (record.ev === "registration" && record.attempt !== undefined)
      for (const one of own.values()) one.since = Math.min(one.since, t);
    for (const [session, { since }] of own)
      if (t - since > OVERLAP) return broken(`${who} went on with session ${session} beside the one that replaced it`, t);
    if (record.ev !== "registration") continue;
    seen++;
    if (record.supervisors > 1) return broken(`${who} had ${record.supervisors} supervisors at once`, t);
  }
  return held(`never more than one in ${seen} changes of registration`);
}

/**
 * A session whose farewell is lost idles out after 30 s, or three of its probe timeouts (RFC 9000 section 10.1), and the relay keeps its call as long. chosen: that and what
 * a stall is felt for beside.
 */
const FAREWELL = 36_000_000;

/**
 * What every party still holds after it was told to stop is nothing. A client lets go by itself, as does a relay of its supervisors; of its sessions and calls a relay hears by
 * packets.
 */
function everythingFreed({ records, scenario }: Evidence): Finding {
  const leaks: string[] = [];
  let isAwaiting = true;
  let parties = 0;
  let at: number | undefined;
  for (const record of records) {
    if (record.ev !== "held") continue;
    parties++;
    const kept = (["sessions", "calls", "supervisors"] as const).filter((name) => record[name] !== 0);
    if (kept.length === 0) continue;
    at ??= record.t;
    isAwaiting &&= scenario.parties[record.who]?.role === "relay" && record.supervisors === 0;
    leaks.push(`${record.who} still holds ${kept.map((name) => `${record[name]} ${name}`).join(", ")}`);
  }
  if (leaks.length > 0) return { ...broken(leaks.join("; "), at), ...(isAwaiting ? { awaited: FAREWELL } : {}) };
  return parties === 0 ? inconclusive("no party said what it still held") : held(`${parties} parties hold nothing`);
}

/** Packet numbers seen under one key: disjoint ranges [from, to), ascending. */
type Ranges = { readonly from: number; to: number }[];

/** Adds packet numbers; returns the first one that was there already. Mostly ascending, so the newest range grows. */
function claim(keys: Map<string, Ranges>, key: string, run: { readonly seq: number; readonly n: number }): number | undefined {
  const ranges = keys.get(key) ?? [];
  keys.set(key, ranges);
  const to = run.seq + run.n;
  let i = ranges.length;
  while (i > 0 && (ranges[i - 1]?.from ?? 0) > run.seq) i--;
  const before = ranges[i - 1];
  const after = ranges[i];
  if (before !== undefined && before.to > run.seq) return run.seq;
  if (after !== undefined && after.from < to) return after.from;
  if (before !== undefined && before.to === run.seq) {
    before.to = to;
    if (after !== undefined && after.from === to) {
      before.to = after.to;
      ranges.splice(i, 1);
    }
  } else ranges.splice(i, 0, { from: run.seq, to });
  return undefined;
}

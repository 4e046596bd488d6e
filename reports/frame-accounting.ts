/**
 * What became of every media frame that was sent: played, recovered from another packet, too late, still under way at the end, or lost, and
 * then to what. A lost frame needs a cause in the log: a drop on its way (the fault it names, the link's own, or congestion control that held
 * it back until it was useless), or a session, a link between relays or a process that was not there. A frame without any is unexplained: some part of the
 * system swallowed it.
 *
 * Drops name no frame, so frames and drops are matched by time: each drop accounts for as many frames as its octets can carry, each
 * frame for the first drop left after its sending.
 */
import type { DropRecord, LogRecord } from "../impl/base/record.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import type { Stream } from "./media-stream-log.ts";

/** Frames of one direction of a call; `sent` is the sum of the others. */
export type FrameAccount = {
  readonly from: string;
  readonly to: string | undefined;
  readonly sent: number;
  /** Opened and played as they came. */
  readonly played: number;
  /** Never opened, but played from another packet. */
  readonly recovered: number;
  /** Opened and not played under its own number: too late, left out to catch up, or so short after stretching that its neighbours fill its ticks. */
  readonly late: number;
  /** Sent so shortly before the call ended, or its receiver died, that nobody can say. */
  readonly underWay: number;
  /** Lost by fault number (its drops). */
  readonly byFault: ReadonlyMap<number, number>;
  /** Lost by the links as they are. */
  readonly byLink: number;
  /** Lost while a session or a process at either end, or the relay, was not there. */
  readonly interrupted: number;
  /** Came, and could not be opened: the headers they lean on were lost. */
  readonly unreadable: number;
  /** Never sent: congestion control held them back until newer voice took their place. */
  readonly heldBack: number;
  readonly unexplained: number;
  /** Instant of the first unexplained one, microseconds. */
  readonly firstUnexplained: number | undefined;
};

/** A packet is under way for at most so long: pauses, queues and delays of explored faults add up to it. chosen. */
const UNDER_WAY = 15_000_000;
/** Sessions and processes explain losses this long around their change. chosen: twice the silence after which a session is in doubt. */
const AROUND = 2_000_000;
/** Least octets of a packet that carries a frame: headers of IP, UDP, QUIC and media, and tags (RFC 9000 section 17.3, impl/wire). */
const LEAST_PACKET = 28 + 12 + 16 + 4 + 16;
/** Octets a further frame of the same packet takes at least: its datagram frame, header and tag. */
const LEAST_FRAME = 3 + 4 + 16;

type Drop = { readonly t: number; readonly fault: number | undefined; readonly isHeldBack: boolean; left: number };
type Span = { readonly from: number; readonly to: number };

/** The account of each stream, in the order of the streams. */
export function accountsOf(
  records: readonly LogRecord[],
  scenario: Scenario,
  streams: readonly Stream[],
  runEnd: number,
): FrameAccount[] {
  const drops = records.flatMap((record) => (record.ev === "drop" ? [record] : [])) as readonly Dropped[];
  return streams.map((stream) => accountOf(records, scenario, stream, drops, runEnd));
}

type Dropped = DropRecord & { readonly t: number };

function accountOf(
  records: readonly LogRecord[],
  scenario: Scenario,
  stream: Stream,
  drops: readonly Dropped[],
  runEnd: number,
): FrameAccount {
  const { from, to, sentAt } = stream;
  const relays = Object.entries(scenario.parties).flatMap(([name, party]) => (party.role === "relay" ? [name] : []));
  const onTheWay = onTheWayOf(stream, relays, scenario);
  const own: Drop[] = [];
  for (const { t, where, bytes, fault, cause } of drops) {
    if (!onTheWay(where, cause)) continue;
    if (cause === "congestion") own.push({ t, fault, isHeldBack: true, left: 1 });
    else if (bytes >= LEAST_PACKET)
      own.push({ t, fault, isHeldBack: false, left: 1 + Math.floor((bytes - LEAST_PACKET) / LEAST_FRAME) });
  }
  const breaks = breaksOf(records, stream, relays, runEnd);
  const cut = unwrittenFrom(records, stream);
  const unreadable = unreadableBy(records, to);
  const count = {
    sent: 0,
    played: 0,
    recovered: 0,
    late: 0,
    underWay: 0,
    byLink: 0,
    interrupted: 0,
    heldBack: 0,
    unreadable: 0,
    unexplained: 0,
  };
  const byFault = new Map<number, number>();
  let firstUnexplained: number | undefined;
  const lost: { readonly seq: number; readonly at: number; readonly isInterrupted: boolean }[] = [];
  let nextBreak = 0;
  for (let seq = 0; seq < sentAt.length; seq++) {
    const at = sentAt[seq];
    if (at === undefined) continue;
    count.sent++;
    const played = stream.played[seq];
    if (played?.kind === "source") count.played++;
    else if (played !== undefined) count.recovered++;
    else if (stream.openedAt[seq] !== undefined) count.late++;
    else {
      while ((breaks[nextBreak]?.to ?? at) < at) nextBreak++;
      lost.push({ seq, at, isInterrupted: (breaks[nextBreak]?.from ?? Number.POSITIVE_INFINITY) <= at });
    }
  }
  // Those that need a drop choose first: whoever was interrupted has a cause already. All may wait equally long, so the first drop is the best.
  for (const isInterrupted of [false, true]) {
    let next = 0;
    for (const one of lost) {
      if (one.isInterrupted !== isInterrupted) continue;
      while ((own[next]?.left ?? 1) === 0 || (own[next]?.t ?? one.at) < one.at) next++;
      const drop = own[next];
      if (drop !== undefined && drop.t <= one.at + UNDER_WAY) {
        drop.left--;
        if (drop.isHeldBack) count.heldBack++;
        else if (drop.fault === undefined) count.byLink++;
        else byFault.set(drop.fault, (byFault.get(drop.fault) ?? 0) + 1);
      } else if (isInterrupted) count.interrupted++;
      else if (one.seq >= cut || one.at + AROUND >= runEnd) count.underWay++;
      else if (count.unreadable < unreadable.most && one.at <= unreadable.last && one.at + UNDER_WAY >= unreadable.first)
        count.unreadable++;
      else {
        count.unexplained++;
        firstUnexplained ??= one.at;
      }
    }
  }
  return { from, to, ...count, byFault, firstUnexplained };
}

/** Places a packet of the stream passes: the sender's way out, the receiver's way in, relays, NATs and the networks between. */
function onTheWayOf(
  { from, to }: Stream,
  relays: readonly string[],
  { parties, nats }: Scenario,
): (where: string, cause: DropRecord["cause"]) => boolean {
  const places = new Map<string, boolean>();
  const passes = (where: string, cause: DropRecord["cause"]): boolean => {
    const [party = "", box, direction] = where.split("/");
    if (relays.includes(party)) return true;
    if (box === "quic" && direction === undefined) return party === from;
    if (parties[party] === undefined) return where.startsWith("nat ") ? nats[where.slice(4)] !== undefined : true;
    // A party as a whole drops what came for a process that is not there, and what it has no interface to send by.
    if (direction === undefined) return party === (cause === "no-route" ? from : to);
    return direction === "up" ? party === from : party === to || to === undefined;
  };
  return (where, cause) => {
    const key = `${where} ${cause}`;
    const known = places.get(key);
    if (known !== undefined) return known;
    const answer = passes(where, cause);
    places.set(key, answer);
    return answer;
  };
}

/** When the way from one end to the other was not whole, ascending and apart from each other, each with some time around it. */
function breaksOf(records: readonly LogRecord[], { call, from, to }: Stream, relays: readonly string[], runEnd: number): Span[] {
  const ends = new Set([from, ...(to === undefined ? [] : [to]), ...relays]);
  const clients = new Set([from, ...(to === undefined ? [] : [to])]);
  const spans: { from: number; to: number }[] = [];
  const open = new Map<string, number>();
  const since = (name: string, t: number): void => {
    if (!open.has(name)) open.set(name, t);
  };
  const until = (name: string, t: number): void => {
    const began = open.get(name);
    if (began === undefined) return;
    open.delete(name);
    spans.push({ from: began, to: t });
  };
  for (const who of clients) since(`call ${who}`, 0);
  if (to === undefined) since("call", 0);
  let impaired = 0;
  let impairedUntil = Number.NEGATIVE_INFINITY;
  for (const record of records) {
    const { t, who } = record;
    if (record.ev === "fault" && record.kind === "impair" && clients.has(record.target)) {
      impaired += record.state === "applied" ? 1 : -1;
      impairedUntil = t + AROUND;
    }
    if (!ends.has(who)) continue;
    // What a fault kept back for longer than a direct path may be silent finds its session closed; without one, nobody may close it so soon.
    if (record.ev === "candidate-pair") {
      if (record.state === "closed" && record.reason === "silent" && (impaired > 0 || t <= impairedUntil))
        spans.push({ from: t, to: t });
    } else if (record.ev === "process") {
      spans.push({ from: t, to: t });
      if (record.state === "killed" || record.state === "paused" || record.state === "exited") since(`${record.ev} ${who}`, t);
      else until(`${record.ev} ${who}`, t);
      // A process that died knows nothing of the call until it is told again.
      if (record.state === "killed" && clients.has(who)) since(`call ${who}`, t);
    } else if (record.ev === "federation") {
      if (record.state === "up") until(`link ${who} ${record.peer}`, t);
      else if (record.state === "down") since(`link ${who} ${record.peer}`, t);
    } else if (record.ev === "session") spans.push({ from: t, to: t });
    else if (record.ev === "registration" && clients.has(who)) {
      if (record.state === "registered") until(`${record.ev} ${who}`, t);
      else since(`${record.ev} ${who}`, t);
    } else if (record.ev === "call" && record.call === call && clients.has(who)) {
      spans.push({ from: t, to: t });
      if (record.state === "resuming" || record.state === "ended") since(`call ${who}`, t);
      else if (record.state === "resumed" || record.state === "active") until(`call ${who}`, t);
    }
  }
  for (const began of open.values()) spans.push({ from: began, to: runEnd });
  const wide = spans.map((span) => ({ from: span.from - AROUND, to: span.to + AROUND })).sort((a, b) => a.from - b.from);
  const merged: { from: number; to: number }[] = [];
  for (const span of wide) {
    const last = merged.at(-1);
    if (last !== undefined && span.from <= last.to) last.to = Math.max(last.to, span.to);
    else merged.push({ ...span });
  }
  return merged;
}

/**
 * When packets came to `to` that it could not open, and how many there were at most: beyond the first few only every doubling of their number is written
 * (impl/core/outbox.ts), so that the last one written may stand for nearly as many again, and for a time after it.
 */
function unreadableBy(
  records: readonly LogRecord[],
  to: string | undefined,
): { readonly most: number; readonly first: number; readonly last: number } {
  const found = records.flatMap((record) =>
    record.ev === "refused" && record.who === to && record.reason === "unauthentic" && record.what === "media packet"
      ? [record]
      : [],
  );
  const [first, last] = [found[0], found.at(-1)];
  if (first === undefined || last === undefined) return { most: 0, first: 0, last: 0 };
  return { most: 2 * last.count - 1, first: first.t, last: last.t + AROUND };
}

/** From this packet number on the receiver's log says nothing: it was killed before it wrote down what it had opened. */
function unwrittenFrom(records: readonly LogRecord[], { to, openedAt }: Stream): number {
  const wasKilled = records.some((record) => record.ev === "process" && record.state === "killed" && record.who === to);
  return wasKilled ? openedAt.length : Number.POSITIVE_INFINITY;
}

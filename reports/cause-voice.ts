/**
 * The books of a voice: frames sealed, packets sent, carried, opened, played, each against the one before. Voice that a part took in and did not give on is that part's doing.
 */
import type { Books, Clue } from "./cause-books.ts";
import type { StreamLog } from "./media-stream-log.ts";
import { FRAME_MICROS, gapsOf } from "./playout.ts";
import { percentile } from "./statistic.ts";

type Stream = StreamLog["streams"][number];

/** Seconds of frames kept back before it is a matter: two are no accident. */
const SECONDS = 2;
/** From a call's being up to its first voice. chosen: a packet of the slowest tier is 60 ms. */
const SPOKEN_SOON = 400_000;
/** A hole in what is sealed. chosen: no codec gathers so long. */
const HOLE = 250_000;
/** Slots of a gap that one hand made. chosen: what a jitter buffer may need to find its delay is less. */
const GAP = 10;
/** What a jitter buffer takes to know its link (impl/core/neteq/delay-target.ts: half seconds), and as long again. */
const FINDS_ITS_DELAY = 2_000_000;
/** What relays, sockets and reordering may add to the way of a packet. chosen: more than any relay here takes. */
const RESIDENCE = 60_000;

/** Whose packets are whose is told by keys and numbers: where those are used twice, what a log says of frames means nothing. */
const KEYS: ReadonlySet<string> = new Set(["no-nonce-reuse", "no-double-decrypt", "packets-in-their-call"]);

export function voiceClues(books: Books): readonly Clue[] {
  if (books.oracles.some(({ name, verdict }) => verdict === "broken" && KEYS.has(name))) return [];
  const rules = [holes, keptBack, vanished, slowWay, unplayed];
  return [...unspoken(books), ...books.evidence.media.streams.flatMap((one) => rules.flatMap((rule) => rule(books, one)))];
}

/** A party of a call that was up and from which not one frame ever came. */
function unspoken(books: Books): readonly Clue[] {
  const clues: Clue[] = [];
  for (const { id, parties } of books.evidence.calls)
    for (const [who, steps] of parties) {
      const active = steps.find(({ state }) => state === "active")?.t;
      const ended = steps.find(({ state }) => state === "ended")?.t ?? books.evidence.runEnd;
      if (active === undefined || ended - active < 1_500_000 || books.wasAway(who, active, active + 1_500_000)) continue;
      if (!books.evidence.media.streams.some(({ call, from }) => call === id && from === who))
        clues.push({
          at: active,
          component: "client",
          party: who,
          weight: "firm",
          says: "had its call up and sent no voice in it",
        });
    }
  return clues;
}

/** Spans in which `who` stood well: registered by a living session that is not silent, in a call that is up. */
export function wellSpans(books: Books, who: string, call: string): readonly (readonly [number, number])[] {
  const spans: [number, number][] = [];
  const open = new Map<number, boolean>();
  let [isRegistered, isInCall, since] = [false, false, -1];
  for (const one of books.of(who)) {
    if (one.ev === "session") open.set(one.session, !ABSENT.has(one.state));
    else if (one.ev === "registration") isRegistered = one.state === "registered" || one.state === "switching";
    else if (one.ev === "call" && one.call === call) isInCall = one.state === "active" || one.state === "resumed";
    else continue;
    const isWell = isRegistered && isInCall && [...open.values()].includes(true);
    if (isWell && since < 0) since = one.t;
    if (!isWell && since >= 0) {
      spans.push([since, one.t]);
      since = -1;
    }
  }
  if (since >= 0) spans.push([since, books.stopOf(who)]);
  return spans;
}

/** States of a session that carries nothing. */
const ABSENT: ReadonlySet<string> = new Set(["connecting", "silent", "closed"]);

export const isWithin = (spans: readonly (readonly [number, number])[], from: number, to: number): boolean =>
  spans.some(([a, b]) => a <= from && b >= to);

/** Nothing sealed for a while in a call that was up. */
function holes(books: Books, { from, call, sentAt }: Stream): readonly Clue[] {
  if (books.evidence.scenario.parties[from]?.dtx === true) return [];
  const clues: Clue[] = [];
  const well = wellSpans(books, from, call);
  const instants = sentAt.filter((at) => at !== undefined);
  for (const [a, b] of well) {
    if (b - a < HOLE + SPOKEN_SOON) continue;
    let last = a + SPOKEN_SOON - HOLE;
    for (const at of [...instants.filter((at) => at > last && at < b), b]) {
      if (at - last > HOLE && !books.wasAway(from, last, at))
        clues.push({
          at: last,
          component: "client",
          party: from,
          weight: "firm",
          says: `sealed no voice for ${Math.round((at - last) / 1_000)} ms in a call that was up`,
        });
      last = at;
    }
  }
  return clues;
}

/** Voice that never left its sender, though it stood well: it chose no path for it. */
function keptBack(books: Books, { from, call, sentAt }: Stream): readonly Clue[] {
  const counts = books.of(from).flatMap((one) => (one.ev === "network" ? [one] : []));
  const well = wellSpans(books, from, call);
  const held = books.evidence.records.flatMap((one) => (one.ev === "drop" && one.where.startsWith(`${from}/`) ? [one.t] : []));
  let [seconds, kept, first] = [0, 0, 0];
  for (const [i, now] of counts.entries()) {
    const before = counts[i - 1];
    if (before === undefined || now.t - before.t < 500_000) continue;
    const sealed = sentAt.reduce((n, at) => n + (at > before.t && at <= now.t ? 1 : 0), 0);
    const left = now.sentPackets - before.sentPackets;
    if (sealed < 20 || left < 0 || left * 3 > sealed || !isWithin(well, before.t, now.t)) continue;
    if (held.filter((t) => t > before.t && t <= now.t).length > sealed / 4) continue;
    if (seconds++ === 0) first = before.t;
    kept += sealed;
  }
  return seconds < SECONDS
    ? []
    : [
        {
          at: first,
          component: "client",
          party: from,
          weight: "firm",
          says: `sealed ${kept} frames in ${seconds} s and sent next to none of them`,
        },
      ];
}

/** Frames that no drop, outage or refusal explains: the hop after which they are missing. */
function vanished(books: Books, { from, to, call }: Stream): readonly Clue[] {
  const account = books.evidence.media.accounts.find((one) => one.from === from && one.to === to);
  const at = account?.firstUnexplained;
  if (account === undefined || at === undefined || to === undefined || account.unexplained === 0) return [];
  const path = books.of(from).findLast((one) => one.ev === "path" && one.call === call && one.t <= at);
  const relay = relayOf(books, from, at);
  const says = `${account.unexplained} frames of ${from}'s to ${to}`;
  if (path?.ev === "path" && path.path === "direct")
    return [{ at, component: "client", party: to, weight: "amount", says: `lost ${says} on a direct path that lost nothing` }];
  return relay === undefined
    ? []
    : [{ at, component: "relay", party: relay, weight: "amount", says: `did not pass on ${says}, whom it had in a call` }];
}

/** The relay that `who` was with at an instant. */
export function relayOf(books: Books, who: string, at: number): string | undefined {
  const last = books.registrations(who).findLast((one) => one.state === "registered" && one.t <= at);
  const { records, scenario } = books.evidence;
  const addressed = books.relays.find((name) =>
    records.some((one) => one.ev === "action" && one.relay === name && one.address === last?.relay),
  );
  return addressed ?? scenario.parties[who]?.relay ?? books.relays[0];
}

/** The earliest packets took longer than the two ways to the relay and back say: somebody kept them. */
function slowWay(books: Books, { from, to, openedAt, sentAt }: Stream): readonly Clue[] {
  if (to === undefined || books.of(from).some((one) => one.ev === "path" && one.path === "direct")) return [];
  const transits = openedAt.flatMap((at, seq) =>
    at === undefined || sentAt[seq] === undefined ? [] : [at - (sentAt[seq] ?? 0)],
  );
  if (transits.length < 100) return [];
  const rtts = [from, to].map((who) => {
    const all = books.of(who).flatMap((one) => (one.ev === "session-stats" ? [one.currentRoundTripTime * 1e6] : []));
    return percentile(all, 0.5);
  });
  const [a, b] = rtts;
  const took = percentile(transits, 0.05) ?? 0;
  const between = books.relays.length > 1 ? 100_000 : 0;
  if (a == null || b == null || took < (a + b) / 2 + RESIDENCE + between) return [];
  const relay = relayOf(books, from, openedAt.find((at) => at !== undefined) ?? 0);
  return relay === undefined
    ? []
    : [
        {
          at: sentAt.find((at) => at !== undefined) ?? 0,
          component: "relay",
          party: relay,
          weight: "amount",
          says: `kept ${from}'s packets: they took ${Math.round(took / 1_000)} ms on a way of ${Math.round((a + b) / 2_000)} ms`,
        },
      ];
}

/** Frames that came early enough for the delay the buffer had, and were not played. */
function unplayed(books: Books, stream: Stream): readonly Clue[] {
  const { from, to, call, sentAt, openedAt, played } = stream;
  if (to === undefined) return [];
  const clues: Clue[] = [];
  const own = books.evidence.playouts.filter((one) => one.party === to && one.call === call);
  const well = wellSpans(books, to, call);
  const delays = played.flatMap((one, seq) => (one === undefined ? [] : [one.at - (sentAt[seq] ?? one.at)]));
  const delay = percentile(delays, 0.5) ?? 150_000;
  const begun = Math.min(...played.flatMap((one) => (one === undefined ? [] : [one.at])), Number.POSITIVE_INFINITY);
  for (const gap of own.flatMap(({ slots }) => gapsOf(slots))) {
    const end = gap.at + gap.frames * FRAME_MICROS;
    // While it has not found its delay yet, it may lose the beginning of a word.
    if (gap.at < begun + FINDS_ITS_DELAY) continue;
    if (gap.frames < GAP || books.wasAway(to, gap.at, end)) continue;
    let inTime = 0;
    for (const [seq, at] of sentAt.entries()) {
      if (at === undefined || at + delay < gap.at || at + delay >= end) continue;
      if ((openedAt[seq] ?? Number.POSITIVE_INFINITY) <= at + delay - 2 * FRAME_MICROS) inTime++;
    }
    if (inTime < gap.frames * 0.8) continue;
    clues.push({
      ...{ at: gap.at, party: to, weight: "firm" },
      component: isWithin(well, gap.at, end) ? "playout" : "client",
      says: `had ${inTime} frames of ${from}'s in time and played none of them for ${gap.frames * 20} ms`,
    });
  }
  let [arrived, unused] = [0, 0];
  for (const [seq, at] of openedAt.entries()) {
    if (at === undefined) continue;
    arrived++;
    if (played[seq] === undefined && at <= (sentAt[seq] ?? 0) + delay - 2 * FRAME_MICROS) unused++;
  }
  if (arrived > 100 && unused > arrived / 12)
    clues.push({
      at: openedAt.find((at) => at !== undefined) ?? 0,
      component: "playout",
      party: to,
      weight: "amount",
      says: `did not play ${unused} of ${arrived} frames of ${from}'s, which had come in time`,
    });
  return clues;
}

/**
 * What is left when every book balances: nobody left a duty undone, and something is worse than it was to be. Then the part is named whose choice it was: of a silence, who
 * had the voice or the way in hands; of a delay, who decides how long voice waits; of a call, who decides when to ask again.
 */

import type { Books, Clue } from "./cause-books.ts";
import { partyOf } from "./cause-breaches.ts";
import { comesBack, isLimited } from "./cause-limits.ts";
import { isWithin, relayOf, wellSpans } from "./cause-voice.ts";
import { FRAME_MICROS, gapsOf } from "./playout.ts";
import type { OracleResult } from "./result.ts";
import { percentile } from "./statistic.ts";

type Blame = Pick<Clue, "component" | "party" | "says">;
/** Undefined: nobody's choice. */
type Judge = (books: Books, party: string, one: OracleResult) => Blame | undefined;

const choice =
  (component: Blame["component"], says: string): Judge =>
  (_, party, { detail }) => ({ component, party, says: `${says}: ${detail}` });

/** Likeliest first: a call before its voice, a voice that is gone before one that is worse. */
const JUDGES: ReadonlyMap<string, Judge> = new Map<string, Judge>([
  [
    "crowd-returns",
    (books, party, { detail }) => ({
      component: "relay",
      party: books.relays[0] ?? party,
      says: `let its clients back in otherwise than it should: ${detail}`,
    }),
  ],
  ["call-connects", choice("client", "did not bring its call about as it should")],
  ["call-rejected", choice("client", "did not end its call as it should")],
  ["call-never-answered", choice("client", "did not end its call as it should")],
  ["ended-with", ending("did not end its call as it should")],
  ["same-call", ending("did not keep its call")],
  ["signalling-recovers", choice("client", "was slow to register again")],
  ["path-is", choice("client", "did not find the path it should")],
  ["generations-fresh", choice("client", "did not bring its new addresses to its peer")],
  ["media-recovers", silence],
  ["media-flows", silence],
  ["longest-gap", silence],
  ["no-interruption", silence],
  ["settles", silence],
  ["well-in-the-end", silence],
  ["every-frame-accounted", silence],
  ["speaks-in", choice("playout", "does not speak as the link allows")],
  ["mouth-to-ear", choice("playout", "lets voice wait longer than its way asks for")],
  ["concealment", choice("playout", "plays less of the voice than comes")],
  ["refused", choice("client", "did not refuse what it should")],
]);

/** That a party is lost, a call unknown or no room left are a relay's words, to say and not to say too early. */
function ending(says: string): Judge {
  return (books, party, one) => {
    const relay = relayOf(books, party, books.evidence.runEnd);
    const lost = /peer-lost|unknown-call|relay-full/.test(one.detail) && relay !== undefined;
    return lost
      ? { component: "relay", party: relay, says: `did not judge rightly which call is over: ${one.detail}` }
      : choice("client", says)(books, party, one);
  };
}

export function symptomClues(books: Books): readonly Clue[] {
  const broken = books.oracles.filter(({ verdict }) => verdict === "broken");
  for (const [name, judge] of JUDGES) {
    const one = broken.find((oracle) => oracle.name === name);
    const party = one && (partyOf(books, one) ?? worst(books) ?? books.evidence.clients[0]);
    if (one === undefined || party === undefined) continue;
    const blame = judge(books, party, one);
    if (blame !== undefined) return [{ ...blame, at: (one.atMs ?? 0) * 1_000, weight: "taste" }];
  }
  return [];
}

const worst = ({ evidence: { measurements } }: Books): string | undefined =>
  Object.entries(measurements.audio).sort(([, a], [, b]) => b.concealmentRatio - a.concealmentRatio)[0]?.[0];

/** Of the longest silence: voice that had come stayed with who plays it; voice that had not, with who chooses its way. */
function silence(books: Books, party: string, { name, detail }: OracleResult): Blame | undefined {
  const { playouts, media } = books.evidence;
  const alone = /the call is up at (\w+) and not at/.exec(detail)?.[1];
  const relay = alone === undefined ? undefined : relayOf(books, alone, books.evidence.runEnd);
  if (relay !== undefined) return { component: "relay", party: relay, says: `left ${alone} alone in a call: ${detail}` };
  const [gap] = playouts
    .flatMap((one) => gapsOf(one.slots).map((gap) => ({ ...gap, party: one.party, call: one.call })))
    .sort((a, b) => b.frames - a.frames);
  const stream = media.streams.find(({ to, call }) => gap !== undefined && to === gap.party && call === gap.call);
  if (gap === undefined || stream === undefined) return { component: "client", party, says: `let its call be silent: ${detail}` };
  const end = gap.at + gap.frames * FRAME_MICROS;
  const wasHealed = books.evidence.conditions.some(
    ({ appliedMs, healedMs }) =>
      appliedMs !== null &&
      healedMs !== null &&
      appliedMs * 1_000 <= gap.at &&
      gap.at < healedMs * 1_000 &&
      healedMs * 1_000 <= end &&
      end <= healedMs * 1_000 + comesBack(books),
  );
  // Of the others the limits have been looked at, with what coming back takes (cause-limits.ts).
  if (wasHealed && !isLimited(name)) return undefined;
  const { from, to = party, sentAt, openedAt, played } = stream;
  const delay =
    percentile(
      played.flatMap((one, seq) => (one === undefined ? [] : [one.at - (sentAt[seq] ?? one.at)])),
      0.5,
    ) ?? 150_000;
  let [came, sealed] = [0, 0];
  for (const [seq, at] of sentAt.entries()) {
    if (at === undefined || at + delay < gap.at || at + delay >= end) continue;
    sealed++;
    if ((openedAt[seq] ?? Number.POSITIVE_INFINITY) <= at + delay) came++;
  }
  const since = `${gap.frames * 20} ms of silence from ${(gap.at / 1e6).toFixed(3)} s on`;
  const unread = books
    .of(to)
    .filter((one) => one.ev === "refused" && one.what === "media packet" && one.t >= gap.at && one.t < end).length;
  if (unread >= 8 && came < gap.frames / 2)
    return { component: "protection", party: to, says: `could not open ${unread} packets and more of ${from}'s: ${since}` };
  if (came >= gap.frames / 2)
    return isWithin(wellSpans(books, to, gap.call), gap.at, end)
      ? { component: "playout", party: to, says: `did not play ${came} frames of ${from}'s that had come: ${since}` }
      : {
          component: "client",
          party: to,
          says: `had ${came} frames of ${from}'s and played none while its relay was away: ${since}`,
        };
  if (sealed < gap.frames / 2 && books.evidence.scenario.parties[from]?.dtx === true)
    return { component: "playout", party: to, says: `took ${from}'s silence, which it had announced, for loss: ${since}` };
  return sealed < gap.frames / 2
    ? { component: "client", party: from, says: `had no way to send its voice by: ${since}` }
    : { component: "client", party: from, says: `sent its voice by a way that led nowhere: ${since}` };
}

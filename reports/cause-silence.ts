/**
 * Causes of silences, by what the log counted on the voice's way: frames sealed, datagrams sent, packets dropped, packets opened, frames played. The first
 * hand in which voice stays is the culprit's. Every rule here wants firm ground: where parties did not stand well with a relay, other rules ask why.
 */
import type { CauseRule, Trial } from "./cause.ts";
import { MANY, refusals } from "./cause-refusals.ts";
import { culprit } from "./cause-rules.ts";
import { FRAME_MICROS, gapsOf } from "./playout.ts";
import type { Culprit } from "./result.ts";
import { percentile } from "./statistic.ts";

/** From the microphone to the loudspeaker, about. chosen: what a frame that is to end a silence was sealed before it. */
const ON_THE_WAY = 150_000;

/** Oracles that silence breaks. */
const SILENT: readonly string[] = [
  "longest-gap",
  "no-interruption",
  "media-flows",
  "media-recovers",
  "concealment",
  "settles",
  "well-in-the-end",
];

export const silenceCause: CauseRule = (trial) =>
  trial.isBroken(...SILENT) ? (unspoken(trial) ?? drainCause(trial) ?? keptBack(trial) ?? stayedIn(trial)) : undefined;

/** A call that is up for so long has voice. chosen: a path is there at once, the codec's first packet after 60 ms. */
const SPOKEN_SOON = 1_500_000;

/** A party of a call that was up and from which not one frame ever came. */
function unspoken({ evidence: { records, calls, media, runEnd } }: Trial): Culprit | undefined {
  for (const { id, parties } of calls)
    for (const [who, steps] of parties) {
      const active = steps.find(({ state }) => state === "active")?.t;
      const ended = steps.find(({ state }) => state === "ended")?.t ?? runEnd;
      const wasKilled = records.some((one) => one.ev === "process" && one.who === who && one.state === "killed");
      if (active === undefined || ended - active < SPOKEN_SOON || wasKilled) continue;
      if (!media.streams.some(({ call, from }) => call === id && from === who))
        return culprit("client", who, "had its call up and sent no voice in it");
    }
  return undefined;
}

type Silence = {
  readonly from: string;
  readonly to: string;
  readonly at: number;
  readonly end: number;
  readonly sealed: number;
  /** In time to be played, and never. */
  readonly opened: number;
  readonly lost: number;
  readonly ms: number;
};

/** The longest silence of the run, with what became of the frames that should have filled it. */
function longestSilence({ evidence: { playouts, media } }: Trial): Silence | undefined {
  const [longest] = playouts
    .flatMap(({ party, call, slots }) => gapsOf(slots).map((gap) => ({ party, call, ...gap })))
    .sort((a, b) => b.frames - a.frames);
  const stream = media.streams.find(({ to, call }) => to === longest?.party && call === longest?.call);
  if (longest === undefined || stream === undefined || longest.frames < 3) return undefined;
  const end = longest.at + longest.frames * FRAME_MICROS;
  // From the microphone to the loudspeaker, as frames of this stream take: which should have filled the silence, and by when.
  const delay =
    percentile(
      stream.played.flatMap((one, seq) => (one === undefined ? [] : [one.at - (stream.sentAt[seq] ?? one.at)])),
      0.5,
    ) ?? ON_THE_WAY;
  let [sealed, opened, lost] = [0, 0, 0];
  for (const [seq, at] of stream.sentAt.entries()) {
    if (at === undefined || at + delay < longest.at || at + delay >= end) continue;
    sealed++;
    const arrived = stream.openedAt[seq];
    if (arrived === undefined) lost++;
    else if (arrived <= at + delay) opened++;
  }
  return {
    from: stream.from,
    to: longest.party,
    at: longest.at,
    end,
    sealed,
    opened,
    lost,
    ms: Math.round((end - longest.at) / 1_000),
  };
}

/** Voice that stayed in one pair of hands while both ends stood well. */
function stayedIn(trial: Trial): Culprit | undefined {
  const silence = longestSilence(trial);
  if (silence === undefined) return undefined;
  const { from, to, at, end, sealed, opened, lost, ms } = silence;
  const expected = (end - at) / FRAME_MICROS;
  const since = `${ms} ms of silence from ${(at / 1e6).toFixed(3)} s on`;
  if (opened >= expected / 2) {
    return standsWell(trial, to, at, end)
      ? culprit("playout", to, `did not play ${opened} frames of ${from}'s that had come: ${since}`)
      : culprit("client", to, `had ${opened} frames of ${from}'s and played none while its relay was away: ${since}`);
  }
  if (lost < expected / 2 || !standsWell(trial, from, at - ON_THE_WAY, end) || !standsWell(trial, to, at, end)) return undefined;
  if (pathOf(trial, from, at) !== "relay" || dropped(trial, at - ON_THE_WAY, end) >= sealed / 3) return undefined;
  if (refusals(trial, to, ["unauthentic", "replayed", "unexpected", "malformed"], "media") >= MANY) return undefined;
  for (const who of [from, to])
    if (letGo(trial, who, at - ON_THE_WAY, end))
      return culprit("client", who, `closed its session with its relay before it had another: ${since}`);
  const relay = relayOf(trial, from, at);
  return relay === undefined
    ? undefined
    : culprit("relay", relay, `did not pass on ${lost} frames of ${from}'s, whom it had in a call with ${to}: ${since}`);
}

/** Most of a span. chosen: a change of relay takes two round trips out of it. */
const MOST = 0.75;

/** Whether a client was registered over a living session with a relay, in a call that was up, most of a span. */
function standsWell({ evidence: { records } }: Trial, who: string, from: number, to: number): boolean {
  const sessions = new Map<number, boolean>();
  let [isRegistered, isInCall, isWell, since, well] = [false, false, false, from, 0];
  for (const record of records) {
    if (record.t > to) break;
    if (record.who !== who) continue;
    if (record.ev === "session") sessions.set(record.session, !ABSENT.has(record.state));
    else if (record.ev === "registration") isRegistered = record.state === "registered" || record.state === "switching";
    else if (record.ev === "call") isInCall = record.state === "active" || record.state === "resumed";
    else continue;
    if (isWell && record.t > since) well += record.t - since;
    since = Math.max(from, record.t);
    isWell = isRegistered && isInCall && [...sessions.values()].includes(true);
  }
  if (isWell) well += to - since;
  return well >= (to - from) * MOST;
}

/** States of a session that carries nothing. */
const ABSENT: ReadonlySet<string> = new Set(["connecting", "silent", "closed"]);

/** Whether `who` closed by itself the last session it had, in a span. */
function letGo({ evidence: { records } }: Trial, who: string, from: number, to: number): boolean {
  const open = new Set<number>();
  for (const record of records) {
    if (record.t > to) return false;
    if (record.ev !== "session" || record.who !== who) continue;
    if (record.state === "connected" || record.state === "accepted") open.add(record.session);
    if (record.state !== "closed") continue;
    if (open.delete(record.session) && open.size === 0 && record.t >= from && record.reason === "local") return true;
  }
  return false;
}

/** What `who` sent its voice by at an instant. */
const pathOf = ({ evidence: { records } }: Trial, who: string, at: number): string | undefined => {
  const last = records.findLast((one) => one.ev === "path" && one.who === who && one.t <= at);
  return last?.ev === "path" ? last.path : undefined;
};

/** The relay that `who` had a session with at an instant. */
function relayOf({ evidence: { records, scenario }, relays }: Trial, who: string, at: number): string | undefined {
  const last = records.findLast(
    (one) => one.ev === "registration" && one.who === who && one.state === "registered" && one.t <= at,
  );
  const addressed = relays.find((name) =>
    records.some((one) => one.ev === "action" && one.relay === name && last?.ev === "registration" && one.address === last.relay),
  );
  return addressed ?? scenario.parties[who]?.relay ?? relays[0];
}

/** Packets large enough for voice that did not arrive in a span. */
const dropped = ({ evidence: { records } }: Trial, from: number, to: number): number =>
  records.reduce((n, one) => n + (one.ev === "drop" && one.t >= from && one.t <= to && one.bytes >= 76 ? 1 : 0), 0);

/** Seconds in which a client that stood well sealed voice and next to nothing left its host. chosen: two are no accident. */
const SECONDS = 2;

/** Voice that never left its sender, though it stood well: it chose no path for it. */
function keptBack(trial: Trial): Culprit | undefined {
  const { records, media } = trial.evidence;
  for (const { from, sentAt } of media.streams) {
    const counts = records.flatMap((one) => (one.ev === "network" && one.who === from ? [one] : []));
    let [seconds, kept] = [0, 0];
    for (const [i, now] of counts.entries()) {
      const before = counts[i - 1];
      if (before === undefined || now.t - before.t < 500_000) continue;
      const sealed = sentAt.reduce((n, at) => n + (at > before.t && at <= now.t ? 1 : 0), 0);
      const left = now.sentPackets - before.sentPackets;
      if (sealed < 20 || left < 0 || left * 3 > sealed || !standsWell(trial, from, before.t, now.t)) continue;
      seconds++;
      kept += sealed;
    }
    if (seconds >= SECONDS)
      return culprit(
        "client",
        from,
        `sealed ${kept} frames in ${seconds} s and sent next to none of them, with its relay there to take them`,
      );
  }
  return undefined;
}

/** A relay that was asked to drain and went with clients left that it had told nothing of use. */
function drainCause({ evidence: { records, clients } }: Trial): Culprit | undefined {
  const overdue = records.find((one) => one.ev === "drain" && one.state === "overdue" && one.sessions > 0);
  if (overdue === undefined) return undefined;
  const told = clients.filter((who) =>
    records.some((one) => one.who === who && one.ev === "signal" && one.dir === "received" && one.type === "RelayDraining"),
  );
  if (told.length === 0) return culprit("relay", overdue.who, "drained without a word to its clients and went with them");
  const isNowhere = records.some(
    (one) => one.ev === "note" && told.includes(one.who) && one.text.includes("draining, 0 alternatives"),
  );
  return isNowhere ? culprit("relay", overdue.who, "told its clients to leave and named no relay to go to") : undefined;
}

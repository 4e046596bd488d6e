/** Causes of silences that a client's choice of path makes: it waits for a direct path with nothing to fall back on, or loses one and has no other warm. */
import type { CauseRule, Trial } from "./cause.ts";
import { MANY, refusals } from "./cause-refusals.ts";
import { culprit } from "./cause-rules.ts";
import { FRAME_MICROS, gapsOf } from "./playout.ts";
import type { Culprit } from "./result.ts";

/** From a call's being up to its voice being sent. chosen: the relay's path is there already, and the race for another takes seconds. */
const AT_ONCE = 300_000;

/** What a change of path may cost that was made before the old one broke. chosen: three frames, which concealment bridges unheard. */
const SILENCE = 3 * FRAME_MICROS;

/** From voice that a dead path swallowed to the client's word that it is dead. chosen: what watching it by the media alone takes, with room. */
const LATE = 1_000_000;

/** Of a run in which clients tried direct paths while its relays stayed up. */
export const pathCause: CauseRule = (trial) => {
  if (!trial.isBroken("longest-gap", "no-interruption", "media-flows", "media-recovers", "concealment")) return undefined;
  const { records } = trial.evidence;
  const unsent = waited(trial);
  if (unsent !== undefined) return unsent;
  if (!records.some((one) => one.ev === "candidate-pair")) return undefined;
  if (
    records.some(
      (one) => one.ev === "process" && one.state !== "started" && one.state !== "exited" && trial.relays.includes(one.who),
    )
  )
    return undefined;
  // What comes and cannot be opened has found its way.
  if (trial.evidence.clients.some((who) => refusals(trial, who, ["unauthentic"]) >= MANY)) return undefined;
  return heldBack(trial) ?? wentSilent(trial);
};

function waited({ evidence: { records, clients } }: Trial): Culprit | undefined {
  for (const who of clients) {
    const active = records.find((one) => one.ev === "call" && one.who === who && one.state === "active");
    if (active === undefined) continue;
    const path = records.find((one) => one.ev === "path" && one.who === who && one.t >= active.t);
    const late = (path?.t ?? Number.POSITIVE_INFINITY) - active.t;
    if (late > AT_ONCE)
      return culprit(
        "client",
        who,
        `had its call up and sent no voice ${path === undefined ? "by any path" : `for ${Math.round(late / 1_000)} ms, waiting for a path`}`,
      );
  }
  return undefined;
}

/** Voice that was sealed and next to never arrived while every attempt at a direct path failed and the relay refused nothing. */
function heldBack({ evidence: { records, media }, relays }: Trial): Culprit | undefined {
  const refused = records.some(
    (one) => one.ev === "refused" && relays.includes(one.who) && one.what.includes("datagram") && one.count >= 100,
  );
  if (refused || records.some((one) => one.ev === "candidate-pair" && one.state === "succeeded")) return undefined;
  for (const { from, sentAt, openedAt } of media.streams) {
    const [sent, opened] = [sentAt, openedAt].map((all) => all.reduce((n, at) => n + (at === undefined ? 0 : 1), 0));
    if ((sent ?? 0) > 100 && (opened ?? 0) < (sent ?? 0) / 10)
      return culprit("client", from, "kept its voice for a direct path that never came, with its relay there to take it");
  }
  return undefined;
}

/** A silence during which both ends stood well with their relay, or which a change of path ended: one of the other paths would have carried the voice. */
function wentSilent(trial: Trial): Culprit | undefined {
  const { records, playouts, clients } = trial.evidence;
  const gaps = playouts.flatMap(({ party, peer, slots }) =>
    gapsOf(slots).map((gap) => ({ party, peer, at: gap.at, end: gap.at + gap.frames * FRAME_MICROS })),
  );
  const longest = gaps.sort((a, b) => b.end - b.at - (a.end - a.at))[0];
  // Where a case has its own limit, what passed it is heard too long by its own measure.
  const least = trial.isBroken("longest-gap") ? FRAME_MICROS : SILENCE;
  if (longest === undefined || longest.end - longest.at < least) return undefined;
  const ms = Math.round((longest.end - longest.at) / 1_000);
  const changed = records.find(
    (one) => one.ev === "path" && clients.includes(one.who) && one.t >= longest.at - AT_ONCE && one.t <= longest.end + AT_ONCE,
  );
  if (changed?.ev === "path")
    return culprit(
      "client",
      changed.who,
      `lost its path and had no other at hand: ${ms} ms of silence until it sent by its ${changed.path} path`,
    );
  const pair = records.find(
    (one) =>
      one.ev === "candidate-pair" &&
      one.state !== "in-progress" &&
      one.reason?.startsWith("hang-up") !== true &&
      one.t >= longest.at - AT_ONCE &&
      one.t <= longest.end + (one.reason === "silent" ? LATE : AT_ONCE),
  );
  return pair === undefined
    ? undefined
    : culprit("client", pair.who, `lost a direct path and had no other at hand: ${ms} ms of silence`);
}

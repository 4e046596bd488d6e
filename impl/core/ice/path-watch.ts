/**
 * Whether the direct path of a call still carries anything, told by what arrives on it: media, or keepalives when the peer has nothing to say. Silence
 * for a frame or a few is a doubt, and a doubt is cheap: media go out on both paths. Only a long silence is death. After a false alarm the
 * next doubt takes longer, so that a path that loses packets or bursts of them is not paid for twice all the time.
 */
import { Instant, Micros, millis } from "../../base/units.ts";

/** One frame is overdue: the relay is shown where we are, so that the peer's copies find us if a NAT has moved us. chosen: a frame and what a good link jitters. */
const LATE: Micros = millis(28);
/** chosen: two frames of 20 ms are missed, give or take a good link's jitter. */
const FIRST_PATIENCE: Micros = millis(45);
/** chosen: what bursts of loss last on bad radio links; a break this long is heard anyway. */
const MOST_PATIENCE: Micros = millis(240);
/**
 * After so many frames in a row without one that was late, the first that is late is reason to doubt, when there was no false alarm lately: copies of it then still
 * arrive about when it is to be played. chosen: a second of frames of 20 ms; longer frames are never in time by this measure.
 */
const PROMPT = 50;
/** With so many, patience is at its most. */
const MOST_ALARMS = 1 + Math.ceil(Math.log2(MOST_PATIENCE / FIRST_PATIENCE));
/** After so long without a false alarm patience is back a step. chosen. */
const CALM: Micros = millis(10_000);
/** A path that is heard again is trusted after this. chosen: several frames, so that one straggler does not end a doubt. */
const TRUST: Micros = millis(200);
/** chosen: fifty frames, ten times what a doubt takes: nothing but a broken path is silent for so long. */
export const DEAD_AFTER: Micros = millis(1_000);
/**
 * A path on which nothing has been heard yet is given longer: the acceptor's word has to get there and the peer's first packet back, which is a round trip. Media go
 * both ways until then, so waiting costs copies and no voice. chosen: above a round trip by two satellites (1.2 s) and a retransmission of that word.
 */
const UNHEARD_FOR: Micros = millis(3_000);
/**
 * A sender with nothing to say keeps the path open: first after this, then at this distance. chosen: below every patience but that with a prompt path, which is doubted for a moment
 * when its peer falls silent without a word; frames of 40 and 60 ms are not to have a keepalive between them each time.
 */
const FIRST_KEEPALIVE: Micros = millis(40);
export const KEEPALIVE_EVERY: Micros = millis(200);
/** A keepalive may be lost, so of a peer that has nothing to say so many are waited for. */
const KEEPALIVES = 2.5;
const IDLE_PATIENCE: Micros = Micros(KEEPALIVE_EVERY * KEEPALIVES);

export type State = {
  readonly heardAt: Instant;
  /** Nothing has been heard since the start, which `heardAt` is then. */
  readonly isUnheard: boolean;
  /** What was heard last was a keepalive: nothing is missed before several more of them. */
  readonly isIdle: boolean;
  /** Since it was heard last, it was found late. */
  readonly isLate: boolean;
  /** False alarms lately: the first takes away the trust in a prompt path, each further one doubles patience. */
  readonly alarms: number;
  /** Frames in a row that came in time, up to PROMPT. */
  readonly prompt: number;
  readonly calmSince: Instant;
  /** Since when nothing has been heard for too long, and when it is heard again, when that is trusted. */
  readonly doubt: { readonly since: Instant; readonly trustedAt: Instant | undefined } | undefined;
  readonly sentAt: Instant;
  readonly hasSentMedia: boolean;
};

export type Input =
  | { readonly type: "heard"; readonly isKeepalive: boolean }
  | { readonly type: "sent"; readonly isKeepalive: boolean }
  /** Something else makes it doubtful: our address changed, or the peer's. */
  | { readonly type: "suspect" }
  | { readonly type: "wake" };

export type Effect =
  /** A packet is missed: no reason to doubt yet. */
  | { readonly type: "late" }
  | { readonly type: "doubt" }
  | { readonly type: "trust" }
  | { readonly type: "dead" }
  | { readonly type: "keepalive" };

export const start = (now: Instant): State => ({
  heardAt: now,
  isUnheard: true,
  isIdle: true, // the peer may not have begun to send here
  isLate: false,
  alarms: 0,
  prompt: 0,
  calmSince: now,
  doubt: undefined,
  sentAt: now,
  hasSentMedia: false,
});

const patienceOf = (s: State): Micros => {
  if (s.isIdle) return IDLE_PATIENCE;
  if (s.alarms === 0) return s.prompt < PROMPT ? FIRST_PATIENCE : LATE;
  return Micros(Math.min(MOST_PATIENCE, FIRST_PATIENCE * 2 ** (s.alarms - 1)));
};
const missedAt = (s: State): Instant => Instant.after(s.heardAt, patienceOf(s));
const deadAt = (s: State): Instant => Instant.after(s.heardAt, s.isUnheard ? UNHEARD_FOR : DEAD_AFTER);
const lateAt = (s: State): Instant | undefined =>
  s.isLate || s.isIdle || s.doubt !== undefined ? undefined : Instant.after(s.heardAt, LATE);
const keepaliveAt = (s: State): Instant => Instant.after(s.sentAt, s.hasSentMedia ? FIRST_KEEPALIVE : KEEPALIVE_EVERY);

export const deadline = (s: State): Instant | undefined =>
  Instant.earliest(
    keepaliveAt(s),
    lateAt(s),
    s.doubt === undefined || s.doubt.trustedAt !== undefined ? missedAt(s) : deadAt(s),
    s.doubt?.trustedAt,
  );

export function step(s: State, now: Instant, input: Input): readonly [State, readonly Effect[]] {
  switch (input.type) {
    case "heard": {
      const isPrompt = !input.isKeepalive && Instant.between(s.heardAt, now) < LATE;
      const prompt = isPrompt ? Math.min(PROMPT, s.prompt + 1) : 0;
      const next = { ...s, heardAt: now, isUnheard: false, isIdle: input.isKeepalive, isLate: false, prompt };
      if (s.doubt === undefined || s.doubt.trustedAt !== undefined) return [next, []];
      return [
        {
          ...next,
          alarms: Math.min(MOST_ALARMS, s.alarms + 1),
          calmSince: now,
          doubt: { ...s.doubt, trustedAt: Instant.after(now, TRUST) },
        },
        [],
      ];
    }
    case "sent":
      return [{ ...s, sentAt: now, hasSentMedia: !input.isKeepalive }, []];
    case "suspect":
      if (s.doubt !== undefined) return [{ ...s, doubt: { since: s.doubt.since, trustedAt: undefined } }, []];
      return [{ ...s, doubt: { since: now, trustedAt: undefined } }, [{ type: "doubt" }]];
    case "wake": {
      const [kept, said] = keep(s, now);
      const [next, found] = look(kept, now);
      return [next, [...said, ...found]];
    }
  }
}

const keep = (s: State, now: Instant): readonly [State, readonly Effect[]] =>
  now < keepaliveAt(s) ? [s, []] : [{ ...s, sentAt: now, hasSentMedia: false }, [{ type: "keepalive" }]];

function look(s: State, now: Instant): readonly [State, readonly Effect[]] {
  if (s.doubt === undefined) {
    if (now >= missedAt(s)) return [{ ...s, doubt: { since: now, trustedAt: undefined } }, [{ type: "doubt" }]];
    const late = lateAt(s);
    if (late !== undefined && now >= late) return [{ ...s, isLate: true }, [{ type: "late" }]];
    if (s.alarms === 0 || now < Instant.after(s.calmSince, CALM)) return [s, []];
    return [{ ...s, calmSince: now, alarms: s.alarms - 1 }, []];
  }
  if (now >= deadAt(s)) return [s, [{ type: "dead" }]];
  if (s.doubt.trustedAt === undefined) return [s, []];
  if (now >= missedAt(s)) return [{ ...s, doubt: { since: s.doubt.since, trustedAt: undefined } }, []];
  return now < s.doubt.trustedAt ? [s, []] : [{ ...s, doubt: undefined }, [{ type: "trust" }]];
}

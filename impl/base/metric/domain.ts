/** Which words the labels of the metric catalogue may take, and the bounds of its histograms. Every domain is finite: that bounds how many series there can be. */
import {
  CALL_STATES,
  CANDIDATES,
  CLOSE_REASONS,
  DIRECTIONS,
  DROP_CAUSES,
  EVENTS,
  FRAME_KINDS,
  GENERATION_ACTIONS,
  HELD_THINGS,
  LINK_STATES,
  ORACLE_VERDICTS,
  PATHS,
  REASONS,
  RECOVERED_FROM,
  REGISTRATION_STATES,
  SEND_ERRORS,
  SESSION_STATES,
  SHARES,
  SIGNALS,
  UNDELIVERED,
  VERDICTS,
} from "./label-words.ts";

/** These words; or any, up to so many different ones. What does not fit becomes `OTHER`. */
export type Domain = readonly string[] | { readonly atMost: number };

export type DomainName =
  | "party"
  | "link"
  | "fault"
  | "oracle"
  | "one"
  | "direction"
  | "session-state"
  | "close-reason"
  | "signal"
  | "send-error"
  | "refusal"
  | "undelivered"
  | "held-thing"
  | "registration-state"
  | "call-state"
  | "link-state"
  | "path"
  | "candidate"
  | "generation-action"
  | "frame-kind"
  | "drop-cause"
  | "event"
  | "verdict"
  | "oracle-verdict"
  | "share"
  | "recovered-from";

/** What a label says instead of a word that its domain has no room for. */
export const OTHER = "other";

/** Longest word of an open domain, in UTF-16 units; the rest is cut off. chosen: a name and a fault's description fit, a flood does not. */
export const LONGEST_WORD = 120;

// Room in the open domains. chosen: about four times what the largest scenario of the catalogue needs.
export const DOMAINS: { readonly [Name in DomainName]: Domain } = {
  party: { atMost: 16 },
  link: { atMost: 64 },
  fault: { atMost: 64 },
  oracle: { atMost: 64 },
  one: { atMost: 1 },
  direction: DIRECTIONS,
  "session-state": SESSION_STATES,
  "close-reason": CLOSE_REASONS,
  signal: SIGNALS,
  "send-error": SEND_ERRORS,
  refusal: REASONS,
  undelivered: UNDELIVERED,
  "held-thing": HELD_THINGS,
  "registration-state": REGISTRATION_STATES,
  "call-state": CALL_STATES,
  "link-state": LINK_STATES,
  path: PATHS,
  candidate: CANDIDATES,
  "generation-action": GENERATION_ACTIONS,
  "frame-kind": FRAME_KINDS,
  "drop-cause": DROP_CAUSES,
  event: EVENTS,
  verdict: VERDICTS,
  "oracle-verdict": ORACLE_VERDICTS,
  share: SHARES,
  "recovered-from": RECOVERED_FROM,
};

export type BucketsName = "gap" | "delay" | "wait";

/** Upper bounds in seconds, ascending; one more bucket has none. */
export const BUCKETS: { readonly [Name in BucketsName]: readonly number[] } = {
  /** chosen: one frame, a few, a syllable (150 ms: an interruption), a word, what a reconnect takes, an outage. */
  gap: [0.02, 0.04, 0.06, 0.1, 0.15, 0.25, 0.5, 1, 2, 5, 10, 30],
  /** chosen: dense around the lines that ITU-T G.114 draws at 150 and 400 ms. */
  delay: [0.05, 0.075, 0.1, 0.125, 0.15, 0.175, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 2],
  /** chosen: from a round trip to a user's patience. */
  wait: [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 3, 5, 10, 20, 30, 60],
};

/**
 * What to do with the frame that is due: play it as it is, shorter or longer. Pure, so that every branch is a row of a table.
 * libwebrtc m125, modules/audio_coding/neteq/decision_logic.cc. Different here: the delay to spare is judged by the playout delay
 * and by the filtered level together, and hysteresis is a little over a tick instead of the worst delay of two seconds.
 */

export type Stretch = "normal" | "accelerate" | "trim" | "fast-accelerate" | "preemptive-expand";

/** Microseconds throughout. */
export type Situation = {
  /** How much later than the earliest packet the next frame is taken out. */
  readonly delay: number;
  /** The delay aimed at. */
  readonly target: number;
  /** Audio waiting, smoothed and at this moment. */
  readonly level: number;
  readonly span: number;
  /** Audio that still waited when the frame was taken out: it plays that much later. */
  readonly ahead: number;
  /** Frames are being lost, so time is worth having in reserve. */
  readonly isLossy: boolean;
  /** The frame after this one is not there although a later one is, or nothing is although it should be. */
  readonly isBeforeGap: boolean;
  /** Since the last stretch. */
  readonly sinceStretch: number;
  /** What a lost frame is worth, 1: as usual (LOSS_PRICE); what is put in reserve for it grows with that. */
  readonly worth: number;
};

/**
 * Above the target before anything is shortened. Frames are taken out at ticks, so their delay moves in whole ticks: a tick, and 2 ms so
 * that an earliest packet a little earlier does not turn it back.
 */
export const SLACK = 22_000;
/** Above the target from which time is caught up as fast as it stays intelligible. chosen: NetEq's 4 x high at its least, 4 x 40 ms, less the target. */
export const FAST_ABOVE = 100_000;
/** Least time between two stretches (NetEq: kMinTimescaleInterval, 5 packets), so that speech is at most 15 % faster or slower. */
const SPACING = 100_000;

/**
 * What waits from which on it is shortened, because that costs no packet its chance to come in time. chosen: the period of
 * a low voice, and each edit is one more than none.
 */
export const TRIM_FROM = 10_000;

/**
 * Audio in reserve where frames are lost: speech that was stretched takes the place of so much of what would be made up. NetEq has the same effect from merging, which
 * shortens what it made up, and stretching afterwards. chosen: what keeps the mean delay within 10 ms of NetEq's; 10 ms conceal half a point less at 30 % loss.
 */
export const RESERVE = 7_500;

/**
 * Audio in reserve up to which speech is lengthened right before a frame that is missing while later ones are there, or that should be: what is gained is time for it to come, and stands in for what
 * would be made up if it does not. No distance is kept to the stretch before: what is missing would be worse. chosen: a frame, which is what is missing at least.
 */
export const GAP_RESERVE = 20_000;

export function decide({ delay, target, level, span, ahead, isLossy, isBeforeGap, sinceStretch, worth }: Situation): Stretch {
  if (delay >= target + FAST_ABOVE && span >= target + FAST_ABOVE / 2) return "fast-accelerate";
  if (isBeforeGap && ahead < worth * GAP_RESERVE) return "preemptive-expand";
  if (sinceStretch < SPACING) return "normal";
  if (delay >= target + SLACK && level >= target) return "accelerate";
  if (delay < target || (isLossy && ahead < worth * RESERVE)) return "preemptive-expand";
  return !isLossy && ahead >= TRIM_FROM ? "trim" : "normal";
}

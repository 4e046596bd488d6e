/**
 * Estimated listening quality by the fullband E-model, ITU-T G.107.2 (06/2019), every parameter at its default but loss and
 * delay. Provisional: ITU-T G.113 tabulates no equipment impairment for Opus; the pair used here is what the open-source
 * webrtcmetrics project ascribes to G.113 Amendment 3. Compare runs with it; do not quote it as a measured MOS.
 */
import type { Tier } from "../impl/base/tier.ts";

/** Ro - Is of the fullband scale (G.107.2, default values). */
const R0 = 148;
/** Fullband scale over narrowband scale: the delay term and the MOS curve of G.107 are stretched and shrunk by it. */
const SCALE = 1.48;
/** Highest equipment impairment of the fullband scale (G.107.2 clause 7.5). */
const IE_LIMIT = 132;
/** Opus, fullband: equipment impairment without loss, and robustness to loss. Provisional, see above. */
const OPUS_IE = 10.2;
const OPUS_BPL = 9.6;
/**
 * Opus at 6 kbit/s: what makes the best call a MOS of 1.9, which is what Meta measured with POLQA (engineering.fb.com, 13 June 2024, on MLow). Provisional too; its robustness
 * is taken for that of the higher rate.
 */
const OPUS_6K_IE = 92;

/** Equipment impairment of a tier without loss; undefined for Codec2, of which nothing is published: no score is better than a made-up one. */
export const equipmentOf = (tier: Tier): number | undefined =>
  tier === "good" ? OPUS_IE : tier === "degraded" ? OPUS_6K_IE : undefined;
/** chosen: the burst term was fitted on mildly bursty loss; beyond this ratio one long outage would count for more than its length. */
const BURST_RATIO_LIMIT = 8;

/** Burst ratio of G.107: mean gap length over the mean gap length of independent loss, at least 1. `lossRatio` 0..1. */
export const burstRatio = (meanGapFrames: number, lossRatio: number): number =>
  Math.min(BURST_RATIO_LIMIT, Math.max(1, meanGapFrames * (1 - lossRatio)));

/** Delay impairment Idd of G.107 clause 7.4 (sT = 1, mT = 100 ms), narrowband scale. `delayMs` is one way, mouth to ear. */
export function delayImpairment(delayMs: number): number {
  if (delayMs <= 100) return 0;
  const x = Math.log2(delayMs / 100);
  return 25 * ((1 + x ** 6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2);
}

/** Transmission rating 0..148 of a stretch of Opus speech with this much concealment (0..1), burst ratio and delay; `ie` as `equipmentOf` has it. */
export function rating(concealed: number, bursts: number, delayMs: number, ie: number = OPUS_IE): number {
  const percent = concealed * 100;
  const equipment = ie + ((IE_LIMIT - ie) * percent) / (percent / bursts + OPUS_BPL);
  return Math.min(R0, Math.max(0, R0 - SCALE * delayImpairment(delayMs) - equipment));
}

/** Estimated mean opinion score 1..4.5 of a fullband rating (G.107 Annex B on the shrunk scale). */
export function meanOpinionScore(fullbandRating: number): number {
  const r = fullbandRating / SCALE;
  if (r <= 0) return 1;
  if (r >= 100) return 4.5;
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}

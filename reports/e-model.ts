/**
 * Estimated listening quality by the fullband E-model, ITU-T G.107.2 (06/2019), every parameter at its default but loss and
 * delay. Provisional: ITU-T G.113 tabulates no equipment impairment for Opus; the pair used here is what the open-source
 * webrtcmetrics project ascribes to G.113 Amendment 3. Compare runs with it; do not quote it as a measured MOS.
 */

/** Ro - Is of the fullband scale (G.107.2, default values). */
const R0 = 148;
/** Fullband scale over narrowband scale: the delay term and the MOS curve of G.107 are stretched and shrunk by it. */
const SCALE = 1.48;
/** Highest equipment impairment of the fullband scale (G.107.2 clause 7.5). */
const IE_LIMIT = 132;
/** What a codec takes from the rating: without any loss (Ie of the fullband scale), and its robustness to loss (Bpl, percent). */
export type Equipment = { readonly ie: number; readonly bpl: number };
/** Opus, fullband. Provisional, see above. */
export const OPUS: Equipment = { ie: 10.2, bpl: 9.6 };
/**
 * Opus at 6 kbit/s: what makes the best call a MOS of 1.9, which is what Meta measured with POLQA (engineering.fb.com, 13 June 2024, on MLow), and the robustness that the baresdk
 * project gives Opus up to 12 kbit/s ("indicative, not normative"). Provisional too.
 */
export const OPUS_6K: Equipment = { ie: 92, bpl: 12 };
/** Up to this rate a stream is taken for one of 6 kbit/s. chosen: the rate from which on Opus speaks wideband (libopus, 9 kbit/s), and above the lower tiers. */
const LOW_KBPS = 9;

/** Of a coding as logs name it (`opus 6k 40 ms`). Undefined for Codec2, of which nothing is published: no score is better than a made-up one. */
export function equipmentOf(coding: string): Equipment | undefined {
  const rate = /^opus ([\d.]+)k\b/.exec(coding)?.[1];
  return rate === undefined ? undefined : Number(rate) <= LOW_KBPS ? OPUS_6K : OPUS;
}
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

/** Transmission rating 0..148 of a stretch of speech with this much concealment (0..1), burst ratio and delay; Opus' best tier when not told. */
export function rating(concealed: number, bursts: number, delayMs: number, { ie, bpl }: Equipment = OPUS): number {
  const percent = concealed * 100;
  const equipment = ie + ((IE_LIMIT - ie) * percent) / (percent / bursts + bpl);
  return Math.min(R0, Math.max(0, R0 - SCALE * delayImpairment(delayMs) - equipment));
}

/** Estimated mean opinion score 1..4.5 of a fullband rating (G.107 Annex B on the shrunk scale). */
export function meanOpinionScore(fullbandRating: number): number {
  const r = fullbandRating / SCALE;
  if (r <= 0) return 1;
  if (r >= 100) return 4.5;
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}

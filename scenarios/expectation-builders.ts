/**
 * Expectations in readable words: `expectRecovery({ within: "500ms" })`. Each gives a written expectation for
 * `scenario({ expect })`; what it promises is in `oracles.ts`.
 */
import type { RefusalReason } from "../impl/base/record.ts";
import type { Tier } from "../impl/base/tier.ts";
import type { Time } from "./time.ts";
import type { WrittenExpectation } from "./written-scenario.ts";

/** Without `party`: every client of a call. */
type OfParty = { readonly party?: string };

/** Oracle `call-connects`. */
export const expectConnect = (p: { readonly within?: Time } = {}): WrittenExpectation => ({ oracle: "call-connects", ...p });
/** Oracle `media-flows`. */
export const expectMedia = (p: OfParty & { readonly frames?: number } = {}): WrittenExpectation => ({
  oracle: "media-flows",
  ...p,
});
/** Oracle `media-recovers`. */
export const expectRecovery = (p: {
  readonly within: Time;
  readonly from?: "fault" | "heal";
  readonly fault?: number;
}): WrittenExpectation => ({ oracle: "media-recovers", ...p });
/** Oracle `same-call`. */
export const expectSameCall = (): WrittenExpectation => "same-call";
/** Oracle `signalling-recovers`. */
export const expectSignalling = (p: { readonly within: Time }): WrittenExpectation => ({ oracle: "signalling-recovers", ...p });
/** Oracle `longest-gap`. */
export const expectLongestGap = (p: OfParty & { readonly max: Time }): WrittenExpectation => ({ oracle: "longest-gap", ...p });
/** Oracle `concealment`; `max` is a share, 0 to 1. */
export const expectConcealment = (p: OfParty & { readonly max: number }): WrittenExpectation => ({ oracle: "concealment", ...p });
/** Oracle `no-interruption`. */
export const expectNoInterruption = (p: OfParty = {}): WrittenExpectation => ({ oracle: "no-interruption", ...p });
/** Oracle `mouth-to-ear`. */
export const expectMouthToEar = (p: OfParty & { readonly p95: Time }): WrittenExpectation => ({ oracle: "mouth-to-ear", ...p });
/** Oracle `speaks-in`; `good` unless told. */
export const expectTier = (p: OfParty & { readonly tier?: Tier; readonly within?: Time } = {}): WrittenExpectation => ({
  oracle: "speaks-in",
  ...p,
});
/** Oracle `call-rejected`. */
export const expectRejection = (): WrittenExpectation => "call-rejected";
/** Oracle `call-never-answered`. */
export const expectNoAnswer = (): WrittenExpectation => "call-never-answered";
/** Oracle `ended-with`. */
export const expectEnd = (p: OfParty & { readonly reason: string }): WrittenExpectation => ({ oracle: "ended-with", ...p });
/** Oracle `path-is`. */
export const expectPath = (p: OfParty & { readonly path: "direct" | "relay" }): WrittenExpectation => ({
  oracle: "path-is",
  ...p,
});
/** Oracle `refused`. */
export const expectRefusal = (p: {
  readonly party: string;
  readonly reason: RefusalReason;
  readonly atLeast?: number;
}): WrittenExpectation => ({ oracle: "refused", ...p });
/** Oracle `generations-fresh`. */
export const expectFreshGenerations = (): WrittenExpectation => "generations-fresh";
/** Oracle `as-told`. */
export const expectObedience = (p: { readonly within?: Time } = {}): WrittenExpectation => ({ oracle: "as-told", ...p });
/** Oracle `crowd-returns`. */
export const expectCrowd = (p: { readonly within: Time; readonly peak: number }): WrittenExpectation => ({
  oracle: "crowd-returns",
  ...p,
});
/** Oracle `displaced`. */
export const expectDisplacement = (p: { readonly party: string }): WrittenExpectation => ({ oracle: "displaced", ...p });
/** Oracle `settles`. */
export const expectSettling = (p: { readonly within: Time }): WrittenExpectation => ({ oracle: "settles", ...p });

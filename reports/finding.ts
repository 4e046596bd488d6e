/** What an oracle answers, and the words its figures are put in. */

/** A limit on a length of time was missed: when that began, and by how much; microseconds. */
export type Miss = { readonly at: number; readonly by: number };

/**
 * An oracle's answer; `at` is the instant of the violation in microseconds, where there is one. `brief`: the part of `detail`
 * that the verdict rests on, where that is not all of it. `misses`: every one that the verdict rests on, where the oracle can tell them apart. `awaited`: it rests on
 * packets that had this long to come until `at`, microseconds. `excess`: so much more than allowed was missing in the whole run, microseconds.
 */
export type Finding = {
  readonly verdict: "held" | "broken" | "inconclusive";
  readonly detail: string;
  readonly brief?: string;
  readonly at?: number;
  readonly misses?: readonly Miss[];
  readonly awaited?: number;
  readonly excess?: number;
};

export const held = (detail: string): Finding => ({ verdict: "held", detail });
export const broken = (detail: string, at?: number): Finding => ({
  verdict: "broken",
  detail,
  ...(at === undefined ? {} : { at }),
});
export const inconclusive = (detail: string): Finding => ({ verdict: "inconclusive", detail });

/** `214 ms`, `3.25 s` from 10 s on. */
export function inMs(ms: number): string {
  return ms < 10_000 ? `${trimmed(ms, 1)} ms` : `${trimmed(ms / 1_000, 2)} s`;
}
/** The same from microseconds. */
export const inTime = (micros: number): string => inMs(micros / 1_000);
/** `12.480 s`: an instant. */
export const instant = (micros: number): string => `${(micros / 1_000_000).toFixed(3)} s`;
/** `2.5 %` from 0..1. */
export const inPercent = (ratio: number): string => `${trimmed(ratio * 100, 2)} %`;

const trimmed = (value: number, digits: number): string => String(Math.round(value * 10 ** digits) / 10 ** digits);

/**
 * One finding from one per party or fault: broken when one is, else inconclusive when one is, else held. The details of all
 * are joined, so that a reader sees those that held beside the one that did not; `limit` is put at the end in brackets.
 */
export function together(findings: readonly Finding[], limit = "", none = "nobody to ask"): Finding {
  const first = findings[0];
  if (first === undefined) return inconclusive(none);
  const worst =
    findings.find((one) => one.verdict === "broken") ?? findings.find((one) => one.verdict === "inconclusive") ?? first;
  const decisive = findings.filter((one) => one.verdict === worst.verdict);
  const misses = decisive.flatMap((one) => one.misses ?? []);
  const isTold = decisive.every((one) => one.misses !== undefined);
  const excesses = decisive.flatMap((one) => one.excess ?? []);
  const instants = decisive.flatMap((one) => (one.at === undefined ? [] : [one.at]));
  const words = (some: readonly Finding[]): string =>
    `${some.map((one) => one.detail).join(", ")}${limit === "" ? "" : ` (${limit})`}`;
  return {
    verdict: worst.verdict,
    detail: words(findings),
    ...(decisive.length === findings.length ? {} : { brief: words(decisive) }),
    ...(instants.length === 0 ? {} : { at: Math.min(...instants) }),
    ...(isTold ? { misses } : {}),
    ...(excesses.length > 0 && excesses.length === decisive.length ? { excess: Math.max(...excesses) } : {}),
  };
}

/**
 * The nine NATs of RFC 4787 meet each other in one laboratory on a real kernel, in calls that overlap: `netns-direct.test.ts` asks who takes which path,
 * `.ci/matrix-figures.ts` how soon.
 */
import type { LogRecord } from "../impl/base/record.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { expectConnect, scenario } from "../scenarios/index.ts";
import { isPossible, KINDS, type Kind, nameOf } from "../sim/nat-pairs.fixture.ts";

/** Who calls whom, and from when until when, microseconds. */
export type Meeting = {
  readonly name: string;
  readonly caller: string;
  readonly callee: string;
  readonly at: number;
  readonly until: number;
};

/** Of each kind a caller and a callee, and in round r every caller k calls callee k + r: five rounds meet every pair once, in one order or the other. */
const ROUNDS = 5;
const TALK = 1_200_000;

/** 12.5 ms one way on each client's link: 50 ms round trip between the two. */
export const LINK = { profile: "broadband", delay: "12500us" } as const;

const behind = ({ mapping, filtering }: Kind) =>
  ({ nat: { preset: "symmetric", ports: "random", mapping, filtering }, link: LINK }) as const;
const nameOfPair = (caller: Kind, callee: Kind): string => `${nameOf(caller)} ${nameOf(callee)}`;

/** All 45 pairs, or those named `CALLER CALLEE`, a call every `every` microseconds. */
export function natMatrix(
  every: number,
  only?: readonly string[],
): { readonly scenario: Scenario; readonly meetings: readonly (Meeting & { readonly path: "direct" | "relay" })[] } {
  const meetings = Array.from({ length: ROUNDS }, (_, round) =>
    KINDS.map((caller, k) => [caller, KINDS[(k + round) % KINDS.length] as Kind, k, (k + round) % KINDS.length] as const),
  )
    .flat()
    .filter(([caller, callee]) => only === undefined || only.includes(nameOfPair(caller, callee)))
    .map(([caller, callee, k, l], slot) => ({
      ...{ name: nameOfPair(caller, callee), caller: `a${k}`, callee: `b${l}`, kinds: [caller, callee] as const },
      ...{ at: 1_000_000 + slot * every, until: 1_000_000 + slot * every + TALK },
      path: isPossible(caller, callee) ? ("direct" as const) : ("relay" as const),
    }));
  return {
    meetings,
    scenario: scenario({
      ...{
        name: "nat-matrix",
        asks: "Who meets whom?",
        iceTransportPolicy: "all",
        duration: (meetings.at(-1)?.until ?? 0) + 400_000,
      },
      parties: Object.fromEntries(
        meetings.flatMap(({ caller, callee, kinds: [a, b] }) => [
          [caller, behind(a)],
          [callee, behind(b)],
        ]),
      ),
      calls: meetings.map(({ caller, callee, at, until }) => ({
        ...{ caller, callee, at, hangUpAt: until },
        ...{ callerSays: "tone", calleeSays: "tone" },
      })),
      expect: [expectConnect()],
    }),
  };
}

/** What became of a meeting until its hang-up. What becomes of paths while parties hang up or are told to stop, one after the other, is not asked. */
export type Met = {
  /** Of the caller and the callee, when the call ended. */
  readonly paths: readonly (string | undefined)[];
  /** From the first of the two that had the call's set-up until both were on a direct path, milliseconds; undefined: they never were. */
  readonly directAfterMs: number | undefined;
  /** The longer of the two times between a party's set-up and the first packet of media that it received, milliseconds. */
  readonly heardAfterMs: number;
};

export function met(records: readonly LogRecord[], { caller, callee, at, until }: Meeting): Met {
  const both = [caller, callee];
  const within = records.filter((one) => both.includes(one.who) && one.t >= at && one.t < until);
  const firstOf = (who: string, ev: "signal" | "media-received" | "path", is: (one: LogRecord) => boolean): number =>
    within.find((one) => one.who === who && one.ev === ev && is(one))?.t ?? Number.POSITIVE_INFINITY;
  const setUps = both.map((who) => firstOf(who, "signal", (one) => one.ev === "signal" && one.type === "CallSetup"));
  const direct = both.map((who) => firstOf(who, "path", (one) => one.ev === "path" && one.path === "direct"));
  // Frames are told of in rows, some time after the first of each.
  const heard = both.map((who) =>
    Math.min(
      ...records.flatMap((one) =>
        one.ev === "media-received" && one.who === who && one.at >= at && one.at < until ? [one.at] : [],
      ),
      Number.POSITIVE_INFINITY,
    ),
  );
  const after = (Math.max(...direct) - Math.min(...setUps)) / 1_000;
  return {
    paths: both
      .map((who) => within.findLast((one) => one.ev === "path" && one.who === who))
      .map((one) => (one?.ev === "path" ? one.path : undefined)),
    directAfterMs: Number.isFinite(after) ? after : undefined,
    heardAfterMs: Math.max(...heard.map((time, who) => (time - (setUps[who] ?? 0)) / 1_000)),
  };
}

/** Who of those that a call depends on, the two and `others`, waited longest for a processor during it, and for how long all of them did, microseconds; undefined: nobody did. */
export function heldUp(
  records: readonly LogRecord[],
  { caller, callee, at, until }: Meeting,
  others: readonly string[] = ["r1", "lab"],
): { readonly who: string; readonly waited: number; readonly all: number } | undefined {
  const stalls = records.flatMap((one) =>
    one.ev === "stall" && [caller, callee, ...others].includes(one.who) && one.t > at && one.t - one.micros < until
      ? [{ who: one.who, waited: one.micros - one.cpuMicros }]
      : [],
  );
  const [worst] = stalls.toSorted((a, b) => b.waited - a.waited);
  return worst === undefined ? undefined : { ...worst, all: stalls.reduce((sum, one) => sum + one.waited, 0) };
}

import fc from "fast-check";
import { expect, test } from "vitest";
import { Instant, millis } from "../../base/units.ts";
import * as watch from "./path-watch.ts";

const at = (ms: number): Instant => Instant(millis(ms));

/** Everything the watch says when frames arrive at these milliseconds and its wakes are given when it asks for them, until `until`. */
function said(arrivals: readonly (number | { readonly keepalive: number })[], until: number): [number, string][] {
  const out: [number, string][] = [];
  let state = watch.start(at(0));
  const take = (now: Instant, input: watch.Input): void => {
    const [next, effects] = watch.step(state, now, input);
    state = next;
    for (const { type } of effects) if (type !== "keepalive") out.push([now / 1_000, type]);
  };
  const wakeUntil = (end: Instant): void => {
    for (let i = 0; i < 10_000; i++) {
      const due = watch.deadline(state);
      if (due === undefined || due > end || out.at(-1)?.[1] === "dead") return;
      take(due, { type: "wake" });
    }
    throw new Error("the watch never sleeps");
  };
  for (const one of arrivals) {
    const [ms, isKeepalive] = typeof one === "number" ? [one, false] : [one.keepalive, true];
    wakeUntil(at(ms));
    take(at(ms), { type: "heard", isKeepalive });
  }
  wakeUntil(at(until));
  return out;
}

const frames = (from: number, to: number): number[] => Array.from({ length: (to - from) / 20 }, (_, i) => from + i * 20);

test("a silence is noticed late, doubted and then death, each at its time and not before", () => {
  expect(said(frames(0, 1_000), 3_000)).toEqual([
    [980 + 28, "doubt"],
    [980 + 1_000, "dead"],
  ]);
});

test("one lost frame in a row is reason to doubt after a second in which none was late, and not again before ten seconds without a doubt", () => {
  const lossy = (from: number, to: number): number[] => frames(from, to).filter((ms) => ms % 100 !== 40);
  const arrivals = [
    ...lossy(0, 500),
    ...frames(500, 1_500),
    ...lossy(1_500, 3_500),
    ...frames(3_500, 13_500),
    ...lossy(13_500, 14_000),
  ];
  expect(said(arrivals, 13_980).filter(([, what]) => what !== "late")).toEqual([
    [1_520 + 28, "doubt"],
    [1_560 + 200, "trust"],
    [13_520 + 28, "doubt"],
    [13_560 + 200, "trust"],
  ]);
});

test("a false alarm is over 200 ms after it is heard again, and the next silence is given more time, each time up to 240 ms", () => {
  const arrivals = Array.from({ length: 7 }, (_, turn) => frames(turn * 2_000, turn * 2_000 + 1_600)).flat();
  const words = said(arrivals, 13_999).filter(([, what]) => what !== "late");
  const since = (what: string, from: number): number[] =>
    words.flatMap(([ms, word]) => (word === what ? [(ms - from + 14_000) % 2_000] : []));
  expect(since("doubt", 1_580)).toEqual([28, 45, 90, 180, 240, 240, 240]);
  expect(since("trust", 0)).toEqual([200, 200, 200, 200, 200, 200]);
});

test("frames of 40 ms are no reason to doubt, however long they come in time", () => {
  const long = frames(0, 4_000).filter((ms) => ms % 40 === 0);
  expect(said(long, 3_960).filter(([, what]) => what !== "late")).toEqual([]);
});

test("a peer that has nothing to say and keeps the path open raises no doubt", () => {
  const idle = Array.from({ length: 50 }, (_, i) => ({ keepalive: 40 + i * 200 }));
  expect(said([...frames(0, 20), ...idle], 9_840)).toEqual([[28, "late"]]);
});

test("a peer whose frames all came in time and who falls silent without a word is doubted once, until its keepalive has been trusted", () => {
  const idle = Array.from({ length: 50 }, (_, i) => ({ keepalive: 2_020 + i * 200 }));
  expect(said([...frames(0, 2_000), ...idle], 11_800)).toEqual([
    [1_980 + 28, "doubt"],
    [2_020 + 200, "trust"],
  ]);
});

test("a change of address is a doubt at once, and once", () => {
  const [first, effects] = watch.step(watch.start(at(0)), at(5), { type: "suspect" });
  expect(effects).toEqual([{ type: "doubt" }]);
  expect(watch.step(first, at(6), { type: "suspect" })[1]).toEqual([]);
});

test("keepalives go out 40 ms after the last packet, then every 200 ms", () => {
  let state = watch.step(watch.start(at(0)), at(100), { type: "sent", isKeepalive: false })[0];
  const kept: number[] = [];
  for (let ms = 100; ms < 700; ms++) {
    const [next, effects] = watch.step(state, at(ms), { type: "wake" });
    state = next;
    if (effects.some((one) => one.type === "keepalive")) kept.push(ms);
  }
  expect(kept).toEqual([140, 340, 540]);
});

test("a path is given a second of silence, and three until it has been heard at all", () => {
  const death = (arrivals: readonly number[]): number | undefined =>
    said(arrivals, 5_000).find(([, what]) => what === "dead")?.[0];
  expect(death([])).toBe(3_000);
  expect(death([2_999])).toBe(3_999);
  expect(death([20])).toBe(1_020);
});

test("whatever arrives when, doubt and trust take turns and the watch sleeps in between", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 60 }), (gaps) => {
      let ms = 0;
      const arrivals = gaps.map((gap) => (ms += gap));
      const words = said(arrivals, ms + 3_500).map(([, what]) => what);
      const turns = words.filter((what) => what === "doubt" || what === "trust");
      expect(turns).toEqual(turns.map((_, i) => (i % 2 === 0 ? "doubt" : "trust")));
      expect(words.at(-1)).toBe("dead");
    }),
    { seed: 3, numRuns: 60 },
  );
});

test("a peer that falls silent between words, and tells of its noise, raises no doubt, though one description in three is lost", () => {
  const turn = (from: number): (number | { readonly keepalive: number })[] => [
    ...frames(from, from + 1_000),
    // Discontinuous transmission: three in a row, then one every 180 ms.
    ...[0, 20, 40, ...Array.from({ length: 9 }, (_, i) => 220 + i * 180)]
      .filter((_, i) => i % 3 !== 1)
      .map((ms) => ({ keepalive: from + 1_000 + ms })),
  ];
  expect(said([...turn(0), ...turn(3_000), ...turn(6_000)], 8_700).filter(([, what]) => what !== "late")).toEqual([]);
});

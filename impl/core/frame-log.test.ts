import fc from "fast-check";
import { expect, it } from "vitest";
import { instantsOf } from "../base/record.ts";
import { Instant } from "../base/units.ts";
import { FrameLog, type FrameRun } from "./frame-log.ts";

const gather = (frames: readonly (readonly [number, number])[]): FrameRun[] => {
  const runs: FrameRun[] = [];
  const log = new FrameLog((run) => runs.push(run));
  for (const [at, seq] of frames) log.push(Instant(at), seq);
  log.flush();
  return runs;
};

it("evenly spaced frames in sequence are one run with one step", () => {
  expect(
    gather([
      [100, 7],
      [120, 8],
      [140, 9],
    ]),
  ).toEqual([{ seq: 7, n: 3, at: 100, step: 20 }]);
});

it("a missing packet number starts a new run", () => {
  expect(
    gather([
      [100, 7],
      [120, 9],
    ]).map((run) => run.seq),
  ).toEqual([7, 9]);
});

it("every frame comes back with its time and number, whatever the spacing", () => {
  const frame = fc.tuple(fc.nat(50_000), fc.constantFrom(1, 1, 1, 1, 3));
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 180 }), (steps) => {
      let [at, seq] = [0, 0];
      const frames = steps.map(([wait, jump]): [number, number] => {
        at += wait;
        seq += jump;
        return [at, seq];
      });
      const back = gather(frames).flatMap((run) => instantsOf(run).map((instant, i): [number, number] => [instant, run.seq + i]));
      expect(back).toEqual(frames);
    }),
    { seed: 20, numRuns: 200 },
  );
});

import { expect, test } from "vitest";
import { isFullDue, RunMemory, runOf, timestampIn } from "./header-run.ts";

test("the first four packets, the powers of two and one a second are announced", () => {
  const due: number[] = [];
  let since = 0;
  for (let index = 0; index < 200; index++) {
    since++;
    if (!isFullDue(index, since)) continue;
    due.push(index);
    since = 0;
  }
  expect(due).toEqual([0, 1, 2, 3, 4, 8, 16, 32, 64, 114, 128, 178]);
});

test("a packet of three units counts three towards the second", () => {
  expect([isFullDue(37, 48), isFullDue(37, 51)]).toEqual([false, true]);
});

test("a run tells the timestamp of every packet in it, before and after", () => {
  const run = runOf(0, 3, 100, 1_000_000);
  expect([timestampIn(run, 100), timestampIn(run, 101), timestampIn(run, 99)]).toEqual([1_000_000, 1_002_880, 997_120]);
});

test("candidates are the run begun last, then the next, then the one before", () => {
  const memory = new RunMemory();
  const runs = [10, 20, 30, 40].map((seq) => runOf(0, 1, seq, seq * seq * 960));
  expect(memory.candidates(5)).toEqual([]);
  for (const [i, run] of runs.entries()) memory.learn((i + 1) * 10, run);
  expect(memory.candidates(45)).toEqual([runs[3], runs[2]]);
  expect(memory.candidates(20)).toEqual([runs[1], runs[2], runs[0]]);
  expect(memory.candidates(5)).toEqual([runs[0]]);
});

test("a run heard of late takes its place, one returned to is entered again, and the oldest is forgotten", () => {
  const memory = new RunMemory();
  const [a, b, c] = [runOf(0, 1, 0, 0), runOf(1, 1, 0, 0), runOf(2, 1, 0, 0)];
  memory.learn(10, a);
  memory.learn(30, c);
  memory.learn(20, b); // reordered
  expect(memory.candidates(25)).toEqual([b, c, a]);
  memory.learn(40, a);
  expect(memory.candidates(45)).toEqual([a, c]);
  memory.learn(50, b);
  expect(memory.candidates(10)).toEqual([b]); // the first entry of `a` is gone
  memory.learn(18, b); // begun earlier than was known
  expect(memory.candidates(18)).toEqual([b, c]);
});

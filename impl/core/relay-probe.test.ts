import { expect, it } from "vitest";
import { Stream } from "../base/random.ts";
import { Instant, type Micros, millis } from "../base/units.ts";
import { parseStun } from "../wire/stun.ts";
import * as probe from "./relay-probe.ts";

const stream = new Stream(1, "probe");
const config: probe.Config = { every: millis(100), entropy: (length) => stream.nextBytes(length), isPrivate: false };

/** Runs until `until`; the questions with their times. */
function play(until: Micros): { state: probe.State; questions: [number, Uint8Array][] } {
  let state = probe.begin(probe.start(), Instant(0));
  const questions: [number, Uint8Array][] = [];
  for (let at = probe.deadline(state); at !== undefined && at <= until; at = probe.deadline(state)) {
    const [next, packet] = probe.wake(config, state, at);
    state = next;
    const parsed = packet && parseStun(packet);
    if (parsed?.ok) questions.push([at, parsed.transactionId]);
  }
  return { state, questions };
}

it("asks at once and then every interval give or take a tenth, each time with another transaction", () => {
  const { questions } = play(millis(2_000));
  expect(questions[0]?.[0]).toBe(0);
  const gaps = questions.slice(1).map(([at], i) => at - (questions[i]?.[0] ?? 0));
  for (const gap of gaps) expect(Math.abs(gap - 100_000)).toBeLessThanOrEqual(10_000);
  expect(new Set(gaps).size).toBeGreaterThan(5);
  expect(new Set(questions.map(([, id]) => id.join())).size).toBe(questions.length);
});

it("knows when a question was asked, forgets it after three seconds, and knows no other", () => {
  const { state, questions } = play(millis(5_000));
  const [firstAt, first] = questions[0] ?? [0, new Uint8Array(12)];
  const [lastAt, last] = questions.at(-1) ?? [0, new Uint8Array(12)];
  expect(firstAt).toBe(0);
  expect(probe.askedAt(state, first)).toBeUndefined();
  expect(probe.askedAt(state, last)).toBe(lastAt);
  expect(probe.askedAt(state, new Uint8Array(12))).toBeUndefined();
});

it("once ended it asks nothing and takes no answer", () => {
  const { state, questions } = play(millis(500));
  const ended = probe.end(state);
  expect(probe.deadline(ended)).toBeUndefined();
  expect(probe.askedAt(ended, questions.at(-1)?.[1] ?? new Uint8Array(12))).toBeUndefined();
  expect(probe.wake(config, ended, Instant(9_000_000))[1]).toBeUndefined();
});

it("does not ask where it is asked from when that is nobody's business", () => {
  const [, question] = probe.wake({ ...config, isPrivate: true }, probe.begin(probe.start(), Instant(0)), Instant(0));
  const [, open] = probe.wake(config, probe.begin(probe.start(), Instant(0)), Instant(0));
  expect([question, open].map((one) => parseStun(one ?? new Uint8Array()))).toEqual([
    expect.objectContaining({ ok: true, unknown: [0x7fff] }),
    expect.not.objectContaining({ unknown: expect.anything() }),
  ]);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { dbovOf, parseComfortNoise, putComfortNoise } from "../../wire/comfort-noise.ts";
import { FRAME_SAMPLES } from "../codec.ts";
import type { HeldFrame } from "../frame-window.ts";
import { AnnouncedSilence } from "./announced-silence.ts";
import { Discontinuous } from "./discontinuous.ts";
import { Noise } from "./noise.ts";

const F = FRAME_SAMPLES;
const head = (frame: number, packet: number): HeldFrame => ({
  ...{ seq: frame, packet, timestamp: frame * F, payload: new Uint8Array(1), arrival: 0 },
  shape: { codec: 0, units: 1, part: 0, opens: true },
});

test("a description goes over the wire and back, and anything else is refused without an exception", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 127 }), fc.integer({ min: 0, max: 255 }), (level, since) => {
      expect(parseComfortNoise(putComfortNoise({ level, since }))).toEqual({ level, since });
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 6 }), (bytes) => {
      expect(parseComfortNoise(bytes) === undefined).toBe(bytes.length < 2 || (bytes[0] as number) > 127);
    }),
  );
});

test.each([20, 40, 62, 80])("noise of -%i dBov is as loud as it says, within a decibel", (level) => {
  const [noise, pcm] = [new Noise(), new Int16Array(F)];
  let power = 0;
  for (let i = 0; i < 60; i++) {
    noise.fill(pcm, F, level);
    if (i >= 10) power += pcm.reduce((sum, x) => sum + x * x, 0) / F / 50;
  }
  expect(Math.abs(dbovOf(power) - level)).toBeLessThanOrEqual(1);
});

test("silence is from where it began, whichever of its descriptions came first, to the next frame of speech", () => {
  const silence = new AnnouncedSilence();
  expect(silence.ahead(10 * F, undefined)).toBeUndefined();
  silence.tell(14 * F, { level: 60, since: 4 });
  expect(silence.ahead(8 * F, undefined)).toBe(2 * F);
  expect(silence.ahead(10 * F, undefined)).toBe(0);
  silence.tell(10 * F, { level: 61, since: 0 });
  expect(silence.ahead(12 * F, head(20, 10))).toBe(0);
  expect(silence.ahead(8 * F, head(9, 9))).toBeUndefined();
  silence.passed(21 * F);
  expect(silence.ahead(21 * F, undefined)).toBeUndefined();
});

test("words between two silences part them", () => {
  const silence = new AnnouncedSilence();
  silence.tell(10 * F, { level: 60, since: 0 });
  silence.tell(30 * F, { level: 60, since: 2 });
  expect(silence.ahead(12 * F, head(20, 10))).toBe(0);
  silence.passed(21 * F);
  expect(silence.ahead(21 * F, undefined)).toBe(7 * F);
});

test("packet numbers tell how much speech before the head is lost", () => {
  const silence = new AnnouncedSilence();
  expect(silence.lostBefore(head(40, 10), 9)).toBe(0);
  expect(silence.lostBefore(head(40, 12), 9)).toBe(2 * F);
  expect(silence.lostBefore(undefined, 9)).toBe(0);
});

test("a silence is told of three times at once, then every 180 ms, and when the noise changes", () => {
  const dtx = new Discontinuous();
  const quiet = new Int16Array(F).fill(10);
  for (let i = 0; i < 40; i++) dtx.speaks(quiet);
  const told = Array.from({ length: 30 }, () => dtx.pause(1)?.since);
  expect(told.flatMap((since) => (since === undefined ? [] : [since]))).toEqual([0, 1, 2, 11, 20, 29]);
  dtx.spoke();
  expect(dtx.pause(1)?.since).toBe(0);
  expect(dtx.pause(1)?.since).toBe(1);
  expect(dtx.pause(1)?.since).toBe(2);
  expect(dtx.pause(1)).toBeUndefined();
  for (let i = 0; i < 40; i++) dtx.speaks(new Int16Array(F).fill(25));
  expect(dtx.pause(1)?.since).toBe(4);
});

import { expect, it } from "vitest";
import { Decimator, Interpolator, RESAMPLING_DELAY } from "./resampler.ts";

const sine = (hz: number, rate: number, seconds = 0.4): Int16Array =>
  Int16Array.from({ length: Math.round((rate * seconds) / 6) * 6 }, (_, i) =>
    Math.round(10_000 * Math.sin((2 * Math.PI * hz * i) / rate)),
  );
const level = (pcm: Int16Array): number => {
  const middle = pcm.subarray(pcm.length >> 2, (pcm.length * 3) >> 2);
  return 20 * Math.log10(Math.sqrt(middle.reduce((sum, x) => sum + x * x, 0) / middle.length) / (10_000 / Math.SQRT2));
};

it.each([100, 300, 1_000, 2_000, 3_000, 3_400])("%i Hz passes both ways", (hz) => {
  expect(Math.abs(level(new Decimator().push(sine(hz, 48_000))))).toBeLessThan(0.5);
  expect(Math.abs(level(new Interpolator().push(sine(hz, 8_000))))).toBeLessThan(0.5);
});

it.each([4_400, 5_000, 7_900, 12_000, 20_000])("%i Hz does not fold down", (hz) => {
  expect(level(new Decimator().push(sine(hz, 48_000)))).toBeLessThan(-50);
});

it("what comes back is what went in, later by both delays", () => {
  const pcm = sine(700, 48_000);
  const back = new Interpolator().push(new Decimator().push(pcm));
  const delay = 2 * RESAMPLING_DELAY - 6;
  let worst = 0;
  for (let i = 4_000; i < 12_000; i++) worst = Math.max(worst, Math.abs((back[i] as number) - (pcm[i - delay] as number)));
  expect(worst).toBeLessThan(400);
});

it("pieces give what the whole gives", () => {
  const pcm = sine(900, 48_000);
  const pieces = (make: () => { push(pcm: Int16Array): Int16Array }, from: Int16Array, size: number): number[] => {
    const one = make();
    const out: number[] = [];
    for (let at = 0; at < from.length; at += size) out.push(...one.push(from.subarray(at, at + size)));
    return out;
  };
  const down = new Decimator().push(pcm);
  expect(pieces(() => new Decimator(), pcm, 960)).toEqual([...down]);
  expect(pieces(() => new Interpolator(), down, 160)).toEqual([...new Interpolator().push(down)]);
});

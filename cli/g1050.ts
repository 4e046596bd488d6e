/**
 * The impairment profiles A to H of ITU-T G.1050 (TIA-921) for one direction of a voice stream: two local networks and two access links that move between a low and a high state every
 * millisecond, and a core with jitter, loss and failures. Numbers as published in the Recommendation's model; delays count from the earliest a packet could come, so the fixed part of
 * the core's is left out, and so are route flaps, which change it by less than a frame.
 */
import { Stream } from "../impl/base/random.ts";
import type { GridLink } from "./fec-grid.ts";

/** Occupancy of local networks and access links in percent; the core's loss ratio and jitter; a failure every so many seconds for so many milliseconds. */
type Severity = readonly [
  name: string,
  lan: number,
  access: number,
  loss: number,
  jitterMs: number,
  everyS: number,
  failsMs: number,
];
const SEVERITIES: readonly Severity[] = [
  ["A", 1, 0, 0, 5, 0, 0],
  ["B", 2, 1, 0.0001, 10, 3_600, 64],
  ["C", 3, 2, 0.0002, 16, 1_800, 128],
  ["D", 5, 4, 0.0004, 40, 900, 256],
  ["E", 8, 8, 0.001, 70, 480, 400],
  ["F", 12, 15, 0.002, 100, 240, 800],
  ["G", 16, 30, 0.005, 150, 120, 1_600],
  ["H", 20, 50, 0.01, 500, 60, 3_000],
];

/** One local network or access link. */
type Segment = {
  readonly rise: number;
  readonly fall: number;
  readonly loss: number;
  readonly impulse: readonly [number, number];
  readonly heightMs: number;
};
const FILTER = 0.25;
const MTU_BITS = 12_000;
/** chosen: 100 Mbit/s local networks, and access links of 1.536 Mbit/s, one of the Recommendation's. */
const lan = (percent: number): Segment => ({
  ...{
    rise: 0.0001 * percent,
    fall: 0.1,
    loss: 0.000_025 * percent,
    impulse: [0.001 + percent / 2_000, 0.3 + (0.4 * percent) / 100],
  },
  heightMs: (FILTER * MTU_BITS * (1 + percent / 40)) / 100_000,
});
const access = (percent: number): Segment => ({
  ...{
    rise: 0.0002 * percent,
    fall: 0.2 / (1 + percent),
    loss: 0.0005 * percent,
    impulse: [0.001 + percent / 2_000, 0.3 + (0.4 * percent) / 100],
  },
  heightMs: (FILTER * MTU_BITS * (1 + percent / 40)) / 1_536,
});

export const G1050: readonly GridLink[] = SEVERITIES.map(([name, local, reach, loss, jitterMs, everyS, failsMs]) => ({
  name: `G.1050 ${name}`,
  start: (seed) => {
    const draw = new Stream(seed, `g1050/${name}`);
    const segments = [lan(local), access(reach), access(reach), lan(local)].map((model) => ({ model, isHigh: false, delay: 0 }));
    // The first failure is somewhere in its interval.
    const phase = everyS === 0 ? 0 : draw.nextUnit() * everyS * 1_000;
    let slot = -1;
    return (micros) => {
      for (const now = Math.floor(micros / 1_000); slot < now; slot++)
        for (const one of segments) {
          const { rise, fall, impulse, heightMs } = one.model;
          one.isHigh = one.isHigh ? !draw.nextChance(fall) : draw.nextChance(rise);
          const hit = draw.nextChance(impulse[one.isHigh ? 1 : 0]) ? heightMs / FILTER : 0;
          one.delay = one.delay * (1 - FILTER) + hit * FILTER;
        }
      const ms = micros / 1_000;
      const isDown = everyS > 0 && (ms + phase) % (everyS * 1_000) < failsMs;
      let isLost = isDown || draw.nextChance(loss);
      let wait = draw.nextUnit() * jitterMs;
      for (const { model, isHigh, delay } of segments) {
        if (isHigh && draw.nextChance(model.loss)) isLost = true;
        wait += delay;
      }
      return isLost ? -1 : Math.round(1_000 * wait);
    };
  },
}));

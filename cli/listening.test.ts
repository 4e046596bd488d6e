/** Recorded speech through Opus and the default jitter buffer on bad networks, by measure: no clicks, the same level, the same voice. */
import { expect, test } from "vitest";
import { loadOpusWasm } from "../impl/io/opus-wasm.ts";
import { readWav } from "../impl/io/wav.ts";
import { listen, speak } from "./bench-jitter.ts";
import { CONDITIONS } from "./jitter-conditions.ts";
import { speechPath } from "./speech.ts";

const opus = await loadOpusWasm({ encoders: 1, decoders: 3 });
const speech = await speak(opus, await readWav(speechPath("speech-a")), undefined);

/** Peak of the second difference against its own rms in 10 ms: a click stands far out of what speech does. The highest of all. */
function roughest(pcm: Int16Array): number {
  let worst = 0;
  for (let from = 0; from + 482 <= pcm.length; from += 480) {
    let [peak, sum] = [0, 0];
    for (let i = from + 2; i < from + 482; i++) {
      const bend = Math.abs((pcm[i] as number) - 2 * (pcm[i - 1] as number) + (pcm[i - 2] as number));
      sum += bend * bend;
      peak = Math.max(peak, bend);
    }
    // Where it is nearly silent a step of a few units is no click.
    worst = Math.max(worst, peak / (Math.sqrt(sum / 480) + 8));
  }
  return worst;
}

const rms = (pcm: Int16Array): number => Math.sqrt(pcm.reduce((sum, x) => sum + x * x, 0) / pcm.length);

/** Median pitch period of voiced stretches of 40 ms, in samples: the lag of the highest autocorrelation from 2.5 to 12.5 ms. */
function medianPeriod(pcm: Int16Array): number {
  const periods: number[] = [];
  for (let from = 0; from + 2_600 <= pcm.length; from += 1_920) {
    let [best, bestScore, energy] = [0, 0, 0];
    for (let i = 0; i < 1_920; i += 4) energy += (pcm[from + i] as number) ** 2;
    if (energy / 480 < 1_000 ** 2) continue;
    for (let lag = 120; lag <= 600; lag += 2) {
      let [cross, there] = [0, 1];
      for (let i = 0; i < 1_920; i += 4) {
        cross += (pcm[from + i] as number) * (pcm[from + i + lag] as number);
        there += (pcm[from + i + lag] as number) ** 2;
      }
      const score = cross / Math.sqrt(there * energy);
      if (score > bestScore + 0.02) {
        bestScore = score;
        best = lag;
      }
    }
    if (bestScore > 0.8) periods.push(best);
  }
  periods.sort((a, b) => a - b);
  return periods[periods.length >> 1] ?? Number.NaN;
}

test.each(["jitter 50 ms", "jitter 50 ms in order", "held 100 ms every 5 s", "100 ms slower for 10 s of 20"])(
  "%s: no clicks, the same level, the same pitch",
  async (name) => {
    const condition = CONDITIONS.find((one) => one.name === name);
    if (condition === undefined) throw new Error(`there is no condition ${name}`);
    await opus.refilled();
    const { played, figures } = listen("neteq", opus, speech.packets, condition.delays(1, speech.packets.length), 1);
    expect(figures.insertedSamplesForDeceleration + figures.removedSamplesForAcceleration).toBeGreaterThan(1_000);
    const heard = Int16Array.from(played.flatMap(({ pcm }) => [...pcm]));
    expect(roughest(heard)).toBeLessThan(roughest(speech.clean) * 1.3);
    expect(Math.abs(rms(heard) / rms(speech.clean) - 1)).toBeLessThan(0.05);
    expect(Math.abs(medianPeriod(heard) / medianPeriod(speech.clean) - 1)).toBeLessThan(0.03);
  },
);

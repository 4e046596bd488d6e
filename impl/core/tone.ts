/**
 * A sine tone whose samples are the same on every machine: 32-bit integer phase, and a table made with additions and
 * multiplications only (Math.sin may differ in its last bit between engines).
 */
import { FRAME_SAMPLES, SAMPLE_RATE } from "./codec.ts";

const TABLE_BITS = 12;
const TABLE: Float64Array = sineTable();

/** Sine over one turn by its power series on the first quarter (error below 1e-12), mirrored into the others. */
function sineTable(): Float64Array {
  const length = 1 << TABLE_BITS;
  const quarter = length / 4;
  const table = new Float64Array(length + 1);
  for (let i = 0; i <= quarter; i++) {
    const x = (i / quarter) * 1.5707963267948966;
    let [term, sum] = [x, x];
    for (let n = 3; n <= 19; n += 2) {
      term = (-term * x * x) / ((n - 1) * n);
      sum += term;
    }
    table[i] = sum;
    table[2 * quarter - i] = sum;
    table[2 * quarter + i] = -sum;
    table[4 * quarter - i] = -sum;
  }
  table[2 * quarter] = 0;
  table[length] = 0;
  return table;
}

/**
 * Frames of FRAME_SAMPLES samples of a tone of `hz` (0..24000) with peak `amplitude` (0..32767), continuous from call to call.
 * The caller owns each frame. RangeError for values outside.
 */
export function toneGenerator(hz: number, amplitude: number): () => Int16Array {
  if (!(hz >= 0 && hz <= SAMPLE_RATE / 2)) throw new RangeError(`hz: want 0..${SAMPLE_RATE / 2}, got ${hz}`);
  if (!(amplitude >= 0 && amplitude <= 32_767)) throw new RangeError(`amplitude: want 0..32767, got ${amplitude}`);
  const step = Math.round((hz / SAMPLE_RATE) * 0x1_0000_0000);
  const shift = 32 - TABLE_BITS;
  const scale = 1 / (1 << shift);
  let phase = 0;
  return () => {
    const pcm = new Int16Array(FRAME_SAMPLES);
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      const index = phase >>> shift;
      const low = TABLE[index] as number;
      const between = (phase & ((1 << shift) - 1)) * scale;
      pcm[i] = Math.floor((low + ((TABLE[index + 1] as number) - low) * between) * amplitude + 0.5); // Math.round takes four times as long
      phase = (phase + step) >>> 0;
    }
    return pcm;
  };
}

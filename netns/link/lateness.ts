/** A histogram of how much later than its due time each packet left, in fixed slots, so that a long run costs no memory. */

/** Width of a slot, microseconds. chosen: a twentieth of a millisecond, well below the 2 ms the emulator promises. */
const SLOT = 50;
/** chosen: 20 ms in all; what is later counts as 20 ms in the percentiles and exactly in `max`. */
const SLOTS = 400;

/** Microseconds. Percentiles are the upper end of their slot; all are 0 before the first packet. */
export type LatenessSummary = { readonly packets: number; readonly p50: number; readonly p99: number; readonly max: number };

export type Lateness = { add(late: number): void; summary(): LatenessSummary };

export function lateness(): Lateness {
  const slots = new Uint32Array(SLOTS + 1);
  let packets = 0;
  let max = 0;
  const percentile = (share: number): number => {
    const wanted = Math.ceil(packets * share);
    let seen = 0;
    for (let slot = 0; slot <= SLOTS; slot++) {
      seen += slots[slot] as number;
      if (packets > 0 && seen >= wanted) return Math.min(max, (slot + 1) * SLOT);
    }
    return 0;
  };
  return {
    add(late) {
      packets++;
      if (late > max) max = late;
      const slot = Math.min(SLOTS, Math.floor(late / SLOT));
      slots[slot] = (slots[slot] as number) + 1;
    },
    summary: () => ({ packets, p50: percentile(0.5), p99: percentile(0.99), max }),
  };
}

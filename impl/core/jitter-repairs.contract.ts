/** What is promised of every jitter buffer that is told to hold frames for forward error correction: part of the contract in jitter-buffer.contract.ts. */
import { describe, expect, it } from "vitest";
import type { JitterBufferName } from "../base/jitter-buffer-name.ts";
import { Instant, Micros } from "../base/units.ts";
import { FRAME_MICROS, FRAME_SAMPLES } from "./codec.ts";
import { jitterBuffer } from "./jitter-buffers.ts";
import { ms, PLAIN, stub } from "./jitter-run.contract.ts";

export function jitterRepairsContract(buffer: JitterBufferName): void {
  describe("frames that are given back", () => {
    /** Every fifth frame is lost and given back `after` its own packet would have come; the buffer was told to hold for `hold`. */
    const repaired = (hold: number, after: number, phase = 1_000) => {
      const own = jitterBuffer(buffer, { decoder: stub(PLAIN), mode: "sized" });
      own.holdFor(Micros(hold));
      const kept: (readonly [string, string | undefined])[] = [];
      const events = Array.from({ length: 250 }, (_, seq) => ({
        seq,
        at: seq * FRAME_MICROS + (seq % 5 === 4 ? after : 0),
        by: seq % 5 === 4 ? ("red" as const) : undefined,
      })).sort((a, b) => a.at - b.at);
      for (let tick = 0; tick < 240; tick++) {
        const now = tick * FRAME_MICROS + phase;
        for (let next = events[0]; next !== undefined && next.at <= now; next = events[0]) {
          events.shift();
          const frame = { seq: next.seq, timestamp: next.seq * FRAME_SAMPLES, payload: new Uint8Array([next.seq & 255]) };
          own.insert(Instant(next.at), next.by === undefined ? frame : { ...frame, by: next.by });
        }
        const played = own.playout(Instant(now));
        if (tick >= 40 && played !== undefined) kept.push([played.kind, played.by]);
      }
      return { kept, stats: own.stats() };
    };

    // Packets come on whole ticks: just before the device asks, and just after.
    it.each([
      [80, 1],
      [80, 10],
      [80, 19],
      [20, 1],
      [20, 19],
    ])(
      "are played as recovered, under the name of what gave them back, when the buffer holds long enough: %i ms, asked %i ms later",
      (hold, phase) => {
        const { kept, stats } = repaired(ms(hold), ms(hold), ms(phase));
        const recovered = kept.filter(([kind]) => kind === "recovered");
        expect(recovered.length).toBeGreaterThanOrEqual(39);
        expect(new Set(recovered.map(([, by]) => by))).toEqual(new Set(["red"]));
        expect(kept.filter(([kind]) => kind === "concealed" || kind === "silence")).toEqual([]);
        expect(kept.every(([kind, by]) => (kind === "recovered") === (by !== undefined))).toBe(true);
        // What was given back did not arrive: it counts among the lost.
        expect(stats.packetsReceived).toBeLessThanOrEqual(200);
        expect(stats.fecPacketsReceived).toBeGreaterThanOrEqual(39);
      },
    );

    it("give way to their own packets, when those come before it is their turn", () => {
      const decoded: number[] = [];
      const decoder = {
        ...stub(PLAIN),
        decode: (payload: Uint8Array) => {
          decoded.push(payload[0] ?? 0);
          return new Int16Array(FRAME_SAMPLES);
        },
      };
      const own = jitterBuffer(buffer, { decoder, mode: "sized" });
      own.holdFor(Micros(ms(60)));
      const kept: (string | undefined)[] = [];
      for (let seq = 0; seq < 100; seq++) {
        const now = Instant(seq * FRAME_MICROS);
        const frame = { seq, timestamp: seq * FRAME_SAMPLES, payload: Uint8Array.of(seq) };
        // Packet 50 is overtaken by what gives its frame back, in another encoding.
        if (seq === 50) own.insert(now, { ...frame, payload: Uint8Array.of(250), by: "red" });
        else own.insert(now, frame);
        if (seq === 51) own.insert(now, { ...frame, seq: 50, timestamp: 50 * FRAME_SAMPLES, payload: Uint8Array.of(50) });
        const played = own.playout(Instant(now + 1_000));
        if (played !== undefined) kept.push(played.kind);
      }
      expect(new Set(kept)).toEqual(new Set(["source"]));
      expect(decoded).toContain(50);
      expect(decoded).not.toContain(250);
      expect(own.stats()).toMatchObject({ packetsReceived: 100, packetsLost: 0, fecPacketsReceived: 0, fecPacketsDiscarded: 1 });
    });

    it("come too late when the buffer was not told to hold, and are not waited for", () => {
      const { kept, stats } = repaired(0, ms(160));
      expect(kept.filter(([kind]) => kind === "recovered").length).toBeLessThan(5);
      expect(stats.packetsDiscarded).toBeGreaterThan(30);
    });
  });
}

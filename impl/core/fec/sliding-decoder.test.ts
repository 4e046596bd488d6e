/** The sliding window beside a slow readable twin, under loss, overtaking and gaps; what receivers make of what is no such thing. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FecScheme } from "../../base/fec-scheme.ts";
import { Stream } from "../../base/random.ts";
import { CODEC_SLIDING, FRAME_UNIT_SAMPLES } from "../../wire/media-header.ts";
import { inverse, multiply } from "./galois.ts";
import { Protector } from "./protector.ts";
import { type RecoveredPacket, Recoverer } from "./recoverer.ts";
import { CELL_BYTES, cellsOf, factorsOf, MAX_CELLS } from "./sliding-code.ts";
import { parseSlidingPayload, putSlidingPayload } from "./sliding-payload.ts";
import type { SourcePacket } from "./source-packet.ts";

const NO_CODES = new Map();
const rlc = (window: number, percent: number): FecScheme => ({ scheme: "rlc", window, percent });

/** `count` packets of random octets, up to `longest` long. */
const packetsOf = (count: number, seed: number, longest = 90): readonly SourcePacket[] => {
  const draw = new Stream(seed, "packets");
  return Array.from({ length: count }, (_, seq) => ({
    ...{ seq, timestamp: seq * FRAME_UNIT_SAMPLES, codec: 0, frames: 1 },
    payload: draw.nextBytes(draw.nextBelow(longest + 1)),
  }));
};

const sentBy = (scheme: FecScheme, packets: readonly SourcePacket[]): readonly SourcePacket[] => {
  const protector = new Protector(scheme, NO_CODES);
  return packets.map((packet) => {
    const { payload, codec, repairs } = protector.protect(packet);
    expect(repairs).toEqual([]);
    return { ...packet, payload, codec };
  });
};

const take = (recoverer: Recoverer, packet: SourcePacket): readonly RecoveredPacket[] => {
  const received = recoverer.source(packet);
  if (!received.ok || received.unusable !== undefined) throw new Error(`packet ${packet.seq} is of no use`);
  return received.recovered;
};

/**
 * Which of the lost packets the sums in `came` determine, by textbook elimination over every cell that was lost: no order, no ages, no octets. A cell is
 * determined when a row says it and nothing else.
 */
function determined(packets: readonly SourcePacket[], came: readonly SourcePacket[]): ReadonlySet<number> {
  const here = new Set(came.map(({ seq }) => seq));
  const columns = packets.flatMap(({ seq, payload }) =>
    here.has(seq) ? [] : Array.from({ length: cellsOf(payload.length) }, (_, cell) => ({ seq, cell })),
  );
  let rows = came.flatMap(({ seq, payload }) => {
    const parsed = parseSlidingPayload(payload);
    if (parsed === undefined) throw new Error("not a sliding payload");
    const start = parsed.cells.map((_, i) => parsed.cells.slice(0, i).reduce((sum, count) => sum + count, 0));
    return Array.from({ length: parsed.rows.length / CELL_BYTES }, (_, row) =>
      columns.map((column) => {
        const at = start[seq - column.seq - 1];
        return at === undefined ? 0 : (factorsOf(seq, row, 225)[at + column.cell] as number);
      }),
    );
  });
  const found = new Set<number>();
  for (const column of columns.keys()) {
    const pivot = rows.find((row, i) => row[column] !== 0 && !found.has(i));
    if (pivot === undefined) continue;
    const factor = inverse(pivot[column] as number);
    const normal = pivot.map((value) => multiply(value, factor));
    found.add(rows.indexOf(pivot));
    rows = rows.map((row) =>
      row === pivot ? normal : row.map((value, i) => value ^ multiply(row[column] as number, normal[i] as number)),
    );
  }
  const single = rows.filter((row) => row.filter((value) => value !== 0).length === 1);
  const known = new Set(single.map((row) => row.findIndex((value) => value !== 0)));
  const wanted = packets.filter(({ seq }) => !here.has(seq)).map(({ seq }) => seq);
  return new Set(wanted.filter((seq) => columns.every((column, i) => column.seq !== seq || known.has(i))));
}

describe("the sliding window", () => {
  it("gives back, packet by packet, what a textbook elimination of all sums so far does", () => {
    let total = 0;
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 10, max: 60 }),
        fc.constantFrom([3, 100], [6, 60], [9, 150]),
        (seed, loss, [window, percent]) => {
          const packets = packetsOf(26, seed, 20);
          const sent = sentBy(rlc(window as number, percent as number), packets);
          const draw = new Stream(seed, "losses");
          const came = sent.filter(() => !draw.nextChance(loss / 100));
          const recoverer = new Recoverer(NO_CODES);
          const back = new Set<number>();
          for (const [i, packet] of came.entries()) {
            for (const found of take(recoverer, packet)) {
              expect({ ...found, by: undefined }).toEqual({ ...packets[found.seq], by: undefined });
              expect(found.by).toBe("rlc");
              back.add(found.seq);
            }
            const until = packets.slice(0, packet.seq + 1);
            expect(back).toEqual(determined(until, came.slice(0, i + 1)));
          }
          total += back.size;
        },
      ),
      { seed: 5, numRuns: 40 },
    );
    expect(total).toBeGreaterThan(60);
  });

  it("bridges a run of lost packets with as many after it, within the delay it asks for", () => {
    const packets = packetsOf(60, 4);
    for (const lost of [1, 2, 3, 4, 5]) {
      const recoverer = new Recoverer(NO_CODES);
      const back: number[] = [];
      for (const packet of sentBy(rlc(10, 110), packets)) {
        if (packet.seq >= 20 && packet.seq < 20 + lost) continue;
        for (const { seq, payload } of take(recoverer, packet)) {
          expect(payload).toEqual(packets[seq]?.payload);
          expect(packet.seq).toBeLessThanOrEqual(seq + 10);
          back.push(seq);
        }
      }
      expect(back).toEqual(Array.from({ length: lost }, (_, i) => 20 + i));
      expect(recoverer.hold).toBe(200_000);
    }
  });

  it("gives back nothing wrong when packets overtake each other and come twice, and seeks nothing that came", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const packets = packetsOf(80, seed);
        const draw = new Stream(seed, "order");
        const recoverer = new Recoverer(NO_CODES);
        const arriving = sentBy(rlc(10, 90), packets)
          .flatMap((packet) =>
            packet.seq < 50 && draw.nextChance(0.15) ? [] : draw.nextChance(0.1) ? [packet, packet] : [packet],
          )
          .map((packet) => ({ packet, at: packet.seq + (packet.seq < 50 ? draw.nextUnit() * 5 : 0) }))
          .toSorted((a, b) => a.at - b.at);
        const heard = new Set<number>();
        for (const { packet } of arriving) {
          heard.add(packet.seq);
          for (const { seq, payload } of take(recoverer, packet)) {
            expect(heard.has(seq)).toBe(false);
            expect(payload).toEqual(packets[seq]?.payload);
            heard.add(seq);
          }
        }
        expect(heard.size).toBeGreaterThan(70);
        // What is given up is forgotten thirty packets later.
        expect(recoverer.window).toEqual({ packets: 0, equations: 0 });
      }),
      { seed: 6, numRuns: 60 },
    );
  });

  it("covers nothing across a gap in time, nor what is too long, and goes on after both", () => {
    const long = new Uint8Array(MAX_CELLS * CELL_BYTES).fill(1);
    const packets = packetsOf(40, 2).map((packet) => ({
      ...packet,
      ...(packet.seq === 25 ? { payload: long } : {}),
      timestamp: packet.timestamp + (packet.seq < 15 ? 0 : 7 * FRAME_UNIT_SAMPLES),
    }));
    const recoverer = new Recoverer(NO_CODES);
    const back = sentBy(rlc(5, 100), packets).flatMap((packet) =>
      [8, 14, 25, 26].includes(packet.seq) ? [] : take(recoverer, packet),
    );
    expect(back.map(({ seq }) => seq)).toEqual([8, 26]);
    expect(back.map(({ timestamp }) => timestamp)).toEqual([8, 26].map((seq) => packets[seq]?.timestamp));
  });

  it("sends over time as much repair as it says, however unlike the frames are, and pauses in it are no hole", () => {
    for (const percent of [40, 85, 200]) {
      const packets = packetsOf(400, 9).map((packet) =>
        packet.seq % 50 < 20 ? { ...packet, payload: Uint8Array.of(1) } : packet,
      );
      const rows = sentBy(rlc(8, percent), packets).map(
        ({ payload }) => (parseSlidingPayload(payload)?.rows.length ?? 0) / CELL_BYTES,
      );
      const cells = packets.reduce((sum, { payload }) => sum + cellsOf(payload.length), 0);
      expect(Math.abs(rows.reduce((sum, count) => sum + count, 0) / cells - percent / 100)).toBeLessThan(0.02 * (percent / 100));
    }
  });
});

describe("what receivers are sent", () => {
  it("is read as it was written", () => {
    for (const count of [0, 1, 14, 15, 200]) {
      const written = {
        codec: 1,
        window: 15,
        cells: [15, 0, 3],
        rows: new Uint8Array(count * CELL_BYTES).fill(7),
        payload: Uint8Array.of(9),
      };
      expect(parseSlidingPayload(putSlidingPayload(written))).toEqual(written);
    }
  });

  it("is of no use, and never an exception, when it is anything else; nothing but lost packets comes of it", () => {
    const recoverer = new Recoverer(NO_CODES);
    for (const packet of packetsOf(40, 1)) if (packet.seq % 7 !== 0) recoverer.source(packet);
    const octets = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .tuple(fc.nat(15), fc.nat(15), fc.uint8Array({ maxLength: 150 }))
        .map(([covered, rows, rest]) => Uint8Array.from([covered, (covered << 4) | rows, ...rest])),
    );
    let lost = 0;
    fc.assert(
      fc.property(octets, fc.nat(45), (payload, seq) => {
        const packet = { seq, timestamp: seq * FRAME_UNIT_SAMPLES, codec: CODEC_SLIDING, frames: 1, payload };
        const received = recoverer.source(packet);
        if (!received.ok) expect(received.reason).toBe("malformed");
        else if (received.unusable !== undefined) lost++;
        expect(recoverer.window.packets).toBeLessThanOrEqual(30);
        expect(recoverer.window.equations).toBeLessThanOrEqual(30 * MAX_CELLS);
      }),
      { seed: 32, numRuns: 3_000 },
    );
    expect(lost).toBeGreaterThan(10);
  });

  it("is malformed when it contradicts what came, and packets of such a sender play all the same", () => {
    const recoverer = new Recoverer(NO_CODES);
    const packets = packetsOf(5, 3, 6);
    for (const packet of packets.slice(0, 3)) recoverer.source(packet);
    const payload = putSlidingPayload({ codec: 0, window: 4, cells: [1, 9], rows: new Uint8Array(8), payload: Uint8Array.of(5) });
    const received = recoverer.source({ ...(packets[4] as SourcePacket), codec: CODEC_SLIDING, payload });
    expect(received).toMatchObject({ ok: true, unusable: "malformed", recovered: [], own: { payload: Uint8Array.of(5) } });
  });
});

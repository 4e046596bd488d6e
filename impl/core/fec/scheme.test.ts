/** Every scheme without WebAssembly against the contract; what receivers make of data that is no such thing; limits. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FecScheme, nameOfScheme, wantScheme } from "../../base/fec-scheme.ts";
import { CODEC_REDUNDANT, FRAME_UNIT_SAMPLES } from "../../wire/media-header.ts";
import { PROTECTION_BYTES } from "../packet-protection.ts";
import { MAX_DATAGRAM_BYTES } from "../session.ts";
import type { BlockCodes } from "./block-code.ts";
import { EXCLUSIVE_OR } from "./exclusive-or.ts";
import { Protector } from "./protector.ts";
import { Recoverer } from "./recoverer.ts";
import { parseRedundantPayload, putRedundantPayload } from "./redundant-payload.ts";
import { REED_SOLOMON } from "./reed-solomon.ts";
import { parseRepairPacket, putRepairPacket } from "./repair-packet.ts";
import { packetsOf, schemeContract, sentBy } from "./scheme.contract.ts";
import { holdOf, redundancyOf } from "./scheme.ts";

const CODES: BlockCodes = new Map([
  ["xor", EXCLUSIVE_OR],
  ["rs", REED_SOLOMON],
]);
const rs = (source: number, repair: number, interleave = 1, leaves: "at-once" | "spread" | "aboard" = "at-once"): FecScheme => ({
  scheme: "rs",
  source,
  repair,
  interleave,
  leaves,
});

/** Name, scheme, hold in packets, redundancy. */
const SCHEMES: readonly (readonly [string, FecScheme, number, number])[] = [
  ["none", { scheme: "none" }, 0, 0],
  ["red 1", { scheme: "red", depth: 1 }, 1, 1],
  ["red 2", { scheme: "red", depth: 2 }, 2, 2],
  ["red 4", { scheme: "red", depth: 4 }, 4, 4],
  ["red 1 apart 8", { scheme: "red", depth: 1, apart: 8 }, 8, 1],
  ["red 3 apart 3", { scheme: "red", depth: 3, apart: 3 }, 9, 3],
  ["xor row 4", { scheme: "xor", protects: "rows", length: 4, rows: 1 }, 3, 0.25],
  ["xor column 4x3", { scheme: "xor", protects: "columns", length: 4, rows: 3 }, 8, 1 / 3],
  ["xor 4x4", { scheme: "xor", protects: "both", length: 4, rows: 4 }, 15, 0.5],
  ["rs 1+1", rs(1, 1), 0, 1],
  ["rs 5+2", rs(5, 2), 4, 0.4],
  ["rs 5+5", rs(5, 5), 4, 1],
  ["rs 5+5 spread", rs(5, 5, 1, "spread"), 8, 1],
  ["rs 4+2 x3", rs(4, 2, 3), 9, 0.5],
  ["rs 4+2 x3 spread", rs(4, 2, 3, "spread"), 12, 0.5],
  ["rs 5+5 aboard", rs(5, 5, 1, "aboard"), 8, 1],
  ["rs 4+6 x2 aboard", rs(4, 6, 2, "aboard"), 10, 1.5],
  ["rs 2+6 x2 spread", rs(2, 6, 2, "spread"), 4, 3],
];

/** Its power cannot be told by counting blocks: sliding-decoder.test.ts holds it against a twin. */
const SLIDING: readonly (readonly [string, FecScheme, number, number])[] = [
  ["rlc 10 at 85 %", { scheme: "rlc", window: 10, percent: 85 }, 10, 0.85],
  ["rlc 4 at 200 %", { scheme: "rlc", window: 4, percent: 200 }, 4, 2],
];
const ALL = [...SCHEMES, ...SLIDING];

for (const [, scheme] of SCHEMES) schemeContract(scheme, CODES, { surplus: 0 });

describe("schemes", () => {
  it.each(ALL)("%s is named, asks for its delay and says its redundancy", (name, scheme, hold, redundancy) => {
    expect(nameOfScheme(scheme)).toBe(name);
    expect(holdOf(scheme)).toBe(hold);
    expect(redundancyOf(scheme)).toBeCloseTo(redundancy);
  });

  it.each(ALL.slice(1))(
    "%s puts as many octets more on the wire as it says, headers and padding apart",
    (_, scheme, __, redundancy) => {
      const packets = packetsOf(480, 3).map((packet) => ({ ...packet, payload: new Uint8Array(60) }));
      const octets = sentBy(scheme, CODES, packets).reduce(
        (sum, one) => sum + (one.kind === "media" ? one.packet.payload : one.payload).length,
        0,
      );
      // Frames of 60 octets are cells of 64.
      const sliding = scheme.scheme === "rlc" ? 3 + scheme.window / 2 + 4 * redundancy : redundancy * 16 + 2;
      const headers = scheme.scheme === "red" ? 2 * scheme.depth + 2 : sliding;
      expect(octets / 480 / 60).toBeGreaterThan(0.97 * (1 + redundancy));
      expect(octets / 480).toBeLessThanOrEqual(60 * (1 + redundancy) + headers);
    },
  );

  it.each([
    [{ scheme: "red", depth: 0 }, "fec.depth"],
    [{ scheme: "red", depth: 5 }, "fec.depth"],
    [{ scheme: "red", depth: 4, apart: 4 }, "fec.depth x apart"],
    [{ scheme: "xor", protects: "both", length: 9, rows: 9 }, "fec.length x rows"],
    [{ scheme: "rlc", window: 16, percent: 100 }, "fec.window"],
    [{ scheme: "rlc", window: 10, percent: 0 }, "fec.percent"],
    [rs(0, 1), "fec.source"],
    [rs(5, 2.5), "fec.repair"],
    [rs(20, 5, 4), "fec.source x interleave"],
  ] as const)("%o is out of range", (scheme, named) => {
    expect(() => wantScheme(scheme)).toThrow(named);
    expect(() => new Protector(scheme, CODES)).toThrow(RangeError);
  });

  it("a scheme whose code is not there is refused", () => {
    expect(() => new Protector({ ...(rs(5, 2) as FecScheme & { scheme: "rs" }), scheme: "raptorq" }, CODES)).toThrow("raptorq");
  });

  it("another scheme from one packet to the next loses nothing of the one before", () => {
    const packets = packetsOf(30, 8);
    const protector = new Protector(rs(8, 4), CODES);
    const recoverer = new Recoverer(CODES);
    const back: number[] = [];
    for (const packet of packets) {
      if (packet.seq === 13) protector.change({ scheme: "red", depth: 2 });
      const { payload, codec, repairs } = protector.protect(packet);
      const results = [
        ...(packet.seq === 10 || packet.seq === 20 ? [] : [recoverer.source({ ...packet, payload, codec })]),
        ...repairs.map((repair) => recoverer.repair(repair)),
      ];
      for (const result of results) if (result.ok) back.push(...result.recovered.map((one) => one.seq));
    }
    expect(back).toEqual([10, 20]);
  });

  it("every packet fits a datagram, however long the frames", () => {
    for (const [, scheme] of ALL) {
      for (const length of [110, 300, 1_080]) {
        const packets = packetsOf(60, 3).map((packet) => ({ ...packet, payload: new Uint8Array(length) }));
        for (const one of sentBy(scheme, CODES, packets)) {
          const octets = (one.kind === "media" ? one.packet.payload : one.payload).length;
          expect(octets + PROTECTION_BYTES).toBeLessThanOrEqual(MAX_DATAGRAM_BYTES);
        }
      }
    }
  });
});

describe("what receivers are sent", () => {
  it("repair packets and redundant payloads are read as they were written", () => {
    const repair = {
      code: "rs",
      hold: 255,
      source: 64,
      stride: 1,
      index: 63,
      codec: 1,
      frames: 16,
      first24: 16_777_215,
      time24: 1,
      symbol: Uint8Array.of(1, 2),
    } as const;
    expect(parseRepairPacket(putRepairPacket(repair))).toEqual(repair);
    const copies = [
      { distance: 31, payload: new Uint8Array(2_047).fill(7) },
      { distance: 1, payload: new Uint8Array(0) },
    ];
    const redundant = { codec: 1, depth: 4, copies, payload: Uint8Array.of(9) };
    expect(parseRedundantPayload(putRedundantPayload(redundant))).toEqual(redundant);
  });

  it("anything else is a reason, never an exception, and gives nothing but frames that were lost", () => {
    const recoverer = new Recoverer(CODES);
    for (const packet of packetsOf(40, 1)) if (packet.seq % 7 !== 0) recoverer.source(packet);
    const header = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.nat(255), fc.nat(70), fc.nat(70), fc.nat(70), fc.nat(255));
    const octets = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .tuple(header, fc.nat(60), fc.uint8Array({ maxLength: 120 }))
        .map(([head, first, rest]) => Uint8Array.from([...head, 0, 0, first, 0, 0, first, ...rest])),
    );
    fc.assert(
      fc.property(octets, fc.nat(40), (bytes, seq) => {
        const repaired = recoverer.repair(bytes);
        if (!repaired.ok) expect(["malformed", "unknown-type"]).toContain(repaired.reason);
        const media = { seq, timestamp: seq * FRAME_UNIT_SAMPLES, codec: CODEC_REDUNDANT, frames: 1, payload: bytes };
        const received = recoverer.source(media);
        if (!received.ok) expect(received.reason).toBe("malformed");
      }),
      { seed: 31, numRuns: 3_000 },
    );
  });

  it("truncated at any length, a repair packet is refused or harmless", () => {
    const packets = packetsOf(10, 4);
    const sent = sentBy(rs(5, 2), CODES, packets);
    for (const one of sent) {
      if (one.kind !== "repair") continue;
      for (let length = 0; length < one.payload.length; length++) {
        const recoverer = new Recoverer(CODES);
        for (const packet of packets) if (packet.seq !== 2) recoverer.source(packet);
        const result = recoverer.repair(one.payload.subarray(0, length));
        // What is recovered is framed by its own length and may only be the lost packet or a part of it that was cut off.
        if (length < 13) expect(result).toEqual({ ok: false, reason: "malformed" });
        for (const { seq } of result.ok ? result.recovered : []) expect(seq).toBe(2);
      }
    }
  });

  it("memory is bounded under a flood of repair packets that solve nothing", () => {
    const recoverer = new Recoverer(CODES);
    for (let i = 0; i < 5_000; i++) {
      const head = { code: "rs", hold: 4, source: 5, stride: 1, index: i % 64, codec: 0, frames: 1 } as const;
      recoverer.repair(putRepairPacket({ ...head, first24: i * 3, time24: i * 3, symbol: new Uint8Array(80) }));
    }
    expect(recoverer.pending).toBeLessThanOrEqual(128);
  });

  it("no more is waited for than a scheme lately heard needs", () => {
    const recoverer = new Recoverer(CODES);
    const packets = packetsOf(400, 1);
    for (const one of sentBy({ scheme: "red", depth: 3 }, CODES, packets.slice(0, 50))) {
      if (one.kind === "media") recoverer.source(one.packet);
    }
    expect(recoverer.hold).toBe(60_000);
    for (const packet of packets.slice(50, 200)) recoverer.source(packet);
    expect(recoverer.hold).toBe(60_000);
    for (const packet of packets.slice(200)) recoverer.source(packet);
    expect(recoverer.hold).toBe(0);
  });
});

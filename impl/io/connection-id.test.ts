import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CONNECTION_ID_BYTES,
  idKey,
  newConnectionId,
  readOuterHeader,
  resetPacket,
  resetToken,
  resetTokenNumber,
} from "./connection-id.ts";

const KEY = new Uint8Array(32).fill(5);
const ID = new Uint8Array(CONNECTION_ID_BYTES).fill(6);

describe("connection IDs", () => {
  test("a reset is shorter than its cause, looks like a short header, ends in the token, and has no answer below 42 octets", () => {
    for (let cause = 0; cause < 1_500; cause++) {
      const packet = resetPacket(KEY, ID, cause);
      if (cause < 42) expect(packet).toBe(undefined);
      if (packet === undefined) continue;
      expect(packet.length).toBeLessThan(cause);
      expect(packet.length).toBeGreaterThanOrEqual(5 + 16 + CONNECTION_ID_BYTES);
      expect((packet[0] as number) & 0xc0).toBe(0x40);
      expect([...packet.subarray(-16)]).toEqual([...resetToken(KEY, ID)]);
    }
  });

  test("a token depends on the key and on the ID, and its number is the same octets", () => {
    const token = Buffer.from(resetToken(KEY, ID)).toString("hex");
    expect(token).toHaveLength(32);
    expect(resetTokenNumber(KEY, ID).toString(16).padStart(32, "0")).toBe(token);
    expect(resetTokenNumber(KEY, newConnectionId())).not.toBe(resetTokenNumber(KEY, ID));
    expect(resetTokenNumber(new Uint8Array(32), ID)).not.toBe(resetTokenNumber(KEY, ID));
  });

  test("keys of different IDs differ, also in octets above 127 and in length", () => {
    const ids = [[], [0], [0, 0], [127], [128], [255], [195, 191]].map((octets) => Uint8Array.from(octets));
    expect(new Set(ids.map(idKey)).size).toBe(ids.length);
  });

  test("long and short headers are read as RFC 8999 says", () => {
    const long = Uint8Array.of(0xc3, 0, 0, 0, 1, 2, 7, 8, 3, 4, 5, 6, 99);
    expect(readOuterHeader(long)).toEqual({
      form: "long",
      version: 1,
      initial: true,
      to: Uint8Array.of(7, 8),
      from: Uint8Array.of(4, 5, 6),
      rest: Uint8Array.of(99),
    });
    expect(readOuterHeader(Uint8Array.from(long, (octet, i) => (i === 0 ? 0xe3 : octet)))).toMatchObject({ initial: false });
    expect(readOuterHeader(Uint8Array.of(0x41, ...ID, 1))).toEqual({ form: "short", to: ID });
    expect(readOuterHeader(Uint8Array.of(0x01, ...ID, 1)), "the fixed bit is missing").toBe(undefined);
    expect(readOuterHeader(long.subarray(0, 10)), "cut inside an ID").toBe(undefined);
  });

  test("random octets never throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (octets) => {
        const header = readOuterHeader(octets);
        if (header !== undefined) expect(header.to.length).toBeLessThan(octets.length);
      }),
      { seed: 5, numRuns: 1_000 },
    );
  });
});

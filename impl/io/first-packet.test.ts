import fc from "fast-check";
import { expect, test } from "vitest";
import { CONNECTION_ID_BYTES, readOuterHeader } from "./connection-id.ts";
import { initialToken } from "./first-packet.ts";
import { quiche } from "./quic-engine.ts";

/** A variable-length integer in so many octets (RFC 9000 section 16). */
const varint = (value: number, octets: 1 | 2 | 4 | 8): number[] => {
  const out = Array.from({ length: octets }, (_, i) => Number((BigInt(value) >> BigInt(8 * (octets - 1 - i))) & 0xffn));
  out[0] = (out[0] as number) | (Math.log2(octets) << 6);
  return out;
};
/** The start of an Initial packet of version 1 (section 17.2.2). */
const initial = (token: Uint8Array, octets: 1 | 2 | 4 | 8): Uint8Array =>
  Uint8Array.from([
    0xc3,
    0,
    0,
    0,
    1,
    8,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    3,
    9,
    9,
    9,
    ...varint(token.length, octets),
    ...token,
    0x44,
    0xd0,
  ]);
const tokenOf = (packet: Uint8Array): Uint8Array | undefined => {
  const header = readOuterHeader(packet);
  return header?.form === "long" ? initialToken(header.rest) : undefined;
};

test("the token of a first packet is the one that the engine reads, however its length is written", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 63 }), fc.constantFrom(1, 2, 4, 8), (token, octets) => {
      const packet = initial(token, octets as 1 | 2 | 4 | 8);
      expect(tokenOf(packet)).toEqual(token);
      expect(new Uint8Array(quiche.Header.fromSlice(packet, CONNECTION_ID_BYTES).token ?? [])).toEqual(token);
    }),
    { seed: 6, numRuns: 100 },
  );
  const long = new Uint8Array(1_000).fill(7);
  expect(tokenOf(initial(long, 2))).toEqual(long);
});

test("a packet that ends before its token does has none, and random octets never throw", () => {
  const packet = initial(new Uint8Array(20), 1);
  for (let length = 18; length < packet.length - 2; length++) expect(tokenOf(packet.subarray(0, length))).toBe(undefined);
  expect(tokenOf(initial(new Uint8Array(20), 8).subarray(0, 30))).toBe(undefined);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (octets) => {
      const token = initialToken(octets);
      if (token !== undefined) expect(token.length).toBeLessThan(octets.length);
    }),
    { seed: 7, numRuns: 1_000 },
  );
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { packTrunk, unpackTrunk } from "./trunk.ts";

const packet = fc.record({ number: fc.nat(0xffff), packet: fc.uint8Array({ minLength: 1, maxLength: 200 }) });

test("what is packed is unpacked", () => {
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 8 }), (packets) => {
      expect(unpackTrunk(packTrunk(packets))).toEqual(packets);
    }),
  );
});

test("any octets give whole packets or nothing", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const packets = unpackTrunk(bytes);
      if (packets !== undefined) expect(packTrunk(packets)).toEqual(bytes);
    }),
  );
  expect(unpackTrunk(Uint8Array.of(0, 1, 0, 2, 9))).toBeUndefined();
  expect(unpackTrunk(Uint8Array.of(0, 1, 0, 0))).toBeUndefined();
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { prefixes, udpFrame, VNET_HEADER } from "./frame.ts";
import { frameOf } from "./frame-sample.fixture.ts";

test("a UDP packet is known by its IP length and its addresses", () => {
  expect(udpFrame(frameOf(1_400))).toEqual({ bytes: 1_400, payload: 52, source: 0xc0a8_0102, destination: 0xcb00_7109 });
});

test.each([
  ["a broadcast", (frame: Uint8Array) => frame.fill(255, VNET_HEADER, VNET_HEADER + 6)],
  ["a multicast", (frame: Uint8Array) => frame.set([0x01, 0x00, 0x5e], VNET_HEADER)],
  ["ARP", (frame: Uint8Array) => frame.set([0x08, 0x06], VNET_HEADER + 12)],
  ["IPv6", (frame: Uint8Array) => frame.set([0x86, 0xdd], VNET_HEADER + 12)],
  ["TCP", (frame: Uint8Array) => frame.set([6], VNET_HEADER + 14 + 9)],
  ["something that only claims to be IPv4", (frame: Uint8Array) => frame.set([0x65], VNET_HEADER + 14)],
])("%s is not a packet of the call", (_, change) => {
  expect(udpFrame(frameOf(100, (frame) => void change(frame)))).toBeUndefined();
});

test("nothing that arrives makes it throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (octets) => {
      const found = udpFrame(octets);
      expect(found === undefined || found.bytes <= 65_535).toBe(true);
    }),
    { seed: 2, numRuns: 2_000 },
  );
});

test.each([
  [["192.168.1.0/24"], 0xc0a8_0102, true],
  [["192.168.1.0/24"], 0xc0a8_0202, false],
  [["10.0.0.0/8", "203.0.113.9"], 0xcb00_7109, true],
  [["203.0.113.9"], 0xcb00_7108, false],
  [["0.0.0.0/0"], 0xffff_ffff, true],
  [["255.255.255.255/32"], 0xffff_ffff, true],
  [[], 0, false],
])("prefixes %j and host %i: %s", (written, host, inside) => {
  expect(prefixes(written)(host)).toBe(inside);
});

test.each(["", "192.168.1", "256.0.0.1", "10.0.0.0/33", "host", "10.0.0.0/-1"])("%j is no prefix", (written) => {
  expect(() => prefixes([written])).toThrow(TypeError);
});

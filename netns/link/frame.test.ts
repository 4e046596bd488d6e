import fc from "fast-check";
import { expect, test } from "vitest";
import { prefixes, udpFrame, VNET_HEADER } from "./frame.ts";
import { frameOf } from "./frame-sample.fixture.ts";

test("a UDP packet is known by its IP length and its addresses", () => {
  expect(udpFrame(frameOf(1_400))).toEqual({ bytes: 1_400, payload: 52, source: 0xc0a8_0102, destination: 0xcb00_7109 });
});

test("so is one over IPv6, by its first 64 bits", () => {
  const frame = new Uint8Array(VNET_HEADER + 14 + 40 + 8 + 20);
  const ip = VNET_HEADER + 14;
  frame.set([0x86, 0xdd], ip - 2);
  frame.set([0x60, 0, 0, 0, 0, 28, 17, 64], ip);
  frame.set([0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0], ip + 8);
  frame.set([0x20, 0x01, 0x0d, 0xb8, 0, 0x2a, 0, 0], ip + 24);
  const found = udpFrame(frame);
  expect(found).toEqual({ bytes: 68, payload: 72, source: 0x2001_0db8_0001_0000n, destination: 0x2001_0db8_002a_0000n });
  expect(prefixes(["192.168.1.0/24", "2001:db8:2a::/64"])(found?.destination ?? 0)).toBe(true);
  expect(prefixes(["192.168.1.0/24", "2001:db8:2a::/64"])(found?.source ?? 0)).toBe(false);
  frame[ip + 6] = 58; // ICMPv6
  expect(udpFrame(frame)).toBeUndefined();
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

test.each(["", "192.168.1", "256.0.0.1", "10.0.0.0/33", "host", "10.0.0.0/-1", "2001:db8::1", "2001:db8::/48"])(
  "%j is no prefix",
  (written) => {
    expect(() => prefixes([written])).toThrow(TypeError);
  },
);

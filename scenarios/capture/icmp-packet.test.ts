import { expect, test } from "vitest";
import { icmpBytes, icmpPacket } from "./icmp-packet.ts";

/** Sum of the 16-bit words with the checksum among them: all ones when it is right (RFC 1071). */
const sum = (octets: Uint8Array): number => {
  let total = 0;
  for (let at = 0; at < octets.length; at += 2) total += ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
};

test("an ICMP error has its type and code, names the packet it refuses, and both checksums are right", () => {
  const octets = icmpPacket("192.168.1.1:0", "192.168.1.2:4000", "198.51.100.1:5000", 100, "admin-prohibited");
  expect(octets.length).toBe(56);
  expect([...octets.subarray(9, 10), ...octets.subarray(12, 22)]).toEqual([1, 192, 168, 1, 1, 192, 168, 1, 2, 3, 13]);
  expect([sum(octets.subarray(0, 20)), sum(octets.subarray(20))]).toEqual([0xffff, 0xffff]);
  // the refused packet: its length, its protocol, its hosts and ports
  expect([...octets.subarray(30, 32), octets[37]]).toEqual([0, 100, 17]);
  expect([...octets.subarray(40, 52)]).toEqual([192, 168, 1, 2, 198, 51, 100, 1, 0x0f, 0xa0, 0x13, 0x88]);
  expect(icmpPacket("192.168.1.1:0", "192.168.1.2:4000", "198.51.100.1:5000", 100, "port-unreachable")[21]).toBe(3);
});

test("an ICMPv6 error holds as much of the refused packet as its path surely takes, and its checksum counts the addresses", () => {
  const [router, source, to] = ["[2001:db8:1::1]:0", "[2001:db8:1::2]:4000", "[2001:db8::1]:5000"];
  const octets = icmpPacket(router, source, to, 48, "admin-prohibited");
  expect(octets.length).toBe(96);
  // length, next header, type and code, and the refused packet's own length and ports
  expect([...octets.subarray(4, 7), ...octets.subarray(40, 42)]).toEqual([0, 56, 58, 1, 1]);
  expect([...octets.subarray(52, 54), ...octets.subarray(88, 92)]).toEqual([0, 8, 0x0f, 0xa0, 0x13, 0x88]);
  // RFC 8200 section 8.1: both addresses, the length and the protocol are in the sum
  expect(sum(new Uint8Array([...octets.subarray(8), 0, 56, 0, 58]))).toBe(0xffff);
  expect(icmpPacket(router, source, to, 48, "port-unreachable")[41]).toBe(4);
  expect([48, 1_232, 1_233, 1_400].map((bytes) => icmpBytes("v6", bytes))).toEqual([96, 1_280, 1_280, 1_280]);
});

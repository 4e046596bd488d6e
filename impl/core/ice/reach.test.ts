import { expect, test } from "vitest";
import { canReach } from "./reach.ts";

const network = (...addresses: readonly string[]) => ({
  port: 4_433,
  interfaces: [{ name: "eth0", addresses, isDefault: true }],
});

test.each([
  ["IPv4 from IPv4", "192.168.1.2", "203.0.113.1:1", true],
  ["IPv6 from IPv4", "192.168.1.2", "[2001:db8::1]:1", false],
  ["IPv4 from IPv6", "2001:db8::2", "203.0.113.1:1", false],
  ["global from unique local (RFC 6724 section 10.6)", "fd12::2", "[2001:db8::1]:1", false],
  ["unique local from unique local", "fd12::2", "[fd34::1]:1", true],
  ["this host", "192.168.1.2", "[::1]:1", true],
])("%s", (_, own, to, is) => {
  expect(canReach(network(own), to)).toBe(is);
});

test("beside a link-local address there is no way to the world", () => {
  expect(canReach(network("fe80::2", "192.168.1.2"), "[2001:db8::1]:1")).toBe(false);
});

test("a host that has no address, or whose network is not known, may get one", () => {
  expect(canReach(network(), "[2001:db8::1]:1")).toBe(true);
  expect(canReach(network("fe80::2"), "203.0.113.1:1")).toBe(true);
  expect(canReach(undefined, "203.0.113.1:1")).toBe(true);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { hostCandidates, inOrder, isFiltered, isHostCandidate, isUsable } from "./candidate-set.ts";

test.each([
  ["10.0.0.1", true],
  ["172.15.0.1", false],
  ["172.16.0.1", true],
  ["172.31.255.1", true],
  ["172.32.0.1", false],
  ["192.168.1.2", true],
  ["100.63.0.1", false],
  ["100.64.0.1", true],
  ["100.127.0.1", true],
  ["100.128.0.1", false],
  ["203.0.113.7", false],
  ["169.254.3.4", false],
  ["127.0.0.1", false],
  ["0.0.0.0", false],
  ["2001:db8::1", true],
  ["3fff::1", true],
  ["fc00::1", true],
  ["fd12::1", true],
  ["fe80::1", false],
  ["::1", false],
  ["::", false],
])("%s is told as a host candidate: %s", (ip, is) => {
  expect(isHostCandidate(ip)).toBe(is);
});

test("host candidates have the socket's port, and those of the default route come first", () => {
  const network = {
    port: 5_000,
    interfaces: [
      { name: "cell0", addresses: ["100.64.0.2", "8.8.8.8"], isDefault: false },
      { name: "wlan0", addresses: ["fe80::1", "192.168.1.2", "2001:db8::2"], isDefault: true },
    ],
  };
  expect(hostCandidates(network)).toEqual(["[2001:db8::2]:5000", "192.168.1.2:5000", "100.64.0.2:5000"]);
});

test("an address made of the hardware's is told only where its prefix has no other (RFC 8445 section 5.1.1.1)", () => {
  const told = (...addresses: readonly string[]) =>
    hostCandidates({ port: 1, interfaces: [{ name: "wlan0", addresses, isDefault: true }] });
  const [ofHardware, temporary] = ["2001:db8::211:22ff:fe33:4455", "2001:db8::94a1:7c3e:1f00:2"];
  expect(told(ofHardware)).toEqual([`[${ofHardware}]:1`]);
  expect(told(ofHardware, temporary)).toEqual([`[${temporary}]:1`]);
  expect(told(ofHardware, "2001:db8:0:1::2", "192.168.1.2")).toEqual([
    `[${ofHardware}]:1`,
    "[2001:db8:0:1::2]:1",
    "192.168.1.2:1",
  ]);
});

test("of a prefix with temporary addresses these alone are told, and a deprecated one only where there is no other of its kind", () => {
  const told = (addresses: readonly string[], flags: { temporary?: readonly string[]; deprecated?: readonly string[] }) =>
    hostCandidates({ port: 1, interfaces: [{ name: "wlan0", addresses, isDefault: true, ...flags }] });
  const [stable, today, yesterday] = ["2001:db8::5a1", "2001:db8::94a1:7c3e:1f00:2", "2001:db8::1f00:3e:94a1:7c3"];
  expect(told([stable, today], { temporary: [today] })).toEqual([`[${today}]:1`]);
  expect(told([stable, today, yesterday], { temporary: [today, yesterday], deprecated: [yesterday] })).toEqual([`[${today}]:1`]);
  expect(told([stable, yesterday], { temporary: [yesterday], deprecated: [yesterday] })).toEqual([`[${stable}]:1`]);
  expect(told([yesterday], { temporary: [yesterday], deprecated: [yesterday] })).toEqual([`[${yesterday}]:1`]);
  // Another prefix, and another kind, are another matter.
  expect(told(["2001:db8:1::9", "fd00::9", stable, today], { temporary: [today], deprecated: ["fd00::9"] })).toEqual([
    ...["[2001:db8:1::9]:1", "[fd00::9]:1", `[${today}]:1`],
  ]);
});

test("a peer's candidates are tried host first, then mapped, then reflexive; what cannot be read or used is skipped", () => {
  const found = inOrder({
    local: ["192.168.1.2:1", "nonsense", "127.0.0.1:80", "[::1]:80", "192.168.1.3:0", "224.0.0.1:9", "192.168.1.2:1"],
    mapped: "203.0.113.9:7",
    reflexive: "203.0.113.9:8",
  });
  expect(found).toEqual([
    { address: "192.168.1.2:1", type: "host" },
    { address: "203.0.113.9:7", type: "mapped" },
    { address: "203.0.113.9:8", type: "reflexive" },
  ]);
});

test("of a peer's host candidates those of IPv6 come first (RFC 8421)", () => {
  const found = inOrder({ local: ["192.168.1.2:1", "[2001:db8::2]:1", "192.168.1.3:1", "[fd00::2]:1"] });
  expect(found.map((one) => one.address)).toEqual(["[2001:db8::2]:1", "[fd00::2]:1", "192.168.1.2:1", "192.168.1.3:1"]);
});

test("any text is judged without a throw, and a peer can make us try sixteen addresses at most", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.string(),
          fc.ipV4().map((ip) => `${ip}:9`),
        ),
      ),
      (local) => {
        for (const one of local) isUsable(one);
        expect(inOrder({ local }).length).toBeLessThanOrEqual(16);
      },
    ),
    { seed: 11 },
  );
});

test("a filter stands before what a NAT gave and before global IPv6, and not before a neighbour or an open port", () => {
  const filtered = (address: string, type: "host" | "mapped" | "reflexive"): boolean => isFiltered({ address, type });
  expect([filtered("203.0.113.1:9", "reflexive"), filtered("[2001:db8::1]:9", "host")]).toEqual([true, true]);
  expect([filtered("192.168.1.2:9", "host"), filtered("[fd00::1]:9", "host")]).toEqual([false, false]);
  expect(filtered("203.0.113.1:9", "mapped")).toBe(false);
});

import fc from "fast-check";
import { expect, it } from "vitest";
import { address, parseAddress } from "./address.ts";

it.each([
  ["192.0.2.1:4433", { host: "192.0.2.1", port: 4433, family: 4 }],
  ["[2001:db8::1]:443", { host: "2001:db8::1", port: 443, family: 6 }],
  ["[::]:0", { host: "::", port: 0, family: 6 }],
  ["[1:2:3:4:5:6:7:8]:1", { host: "1:2:3:4:5:6:7:8", port: 1, family: 6 }],
] as const)("%s parses", (text, parts) => {
  expect(parseAddress(text)).toEqual(parts);
  expect(address(parts.host, parts.port)).toBe(text);
});

it.each([
  "",
  "1.2.3.4",
  "1.2.3:5",
  "256.1.1.1:5",
  "01.2.3.4:5",
  "1.2.3.4:65536",
  "2001:db8::1:443",
  "[1::2::3]:4",
  "[:::]:1",
  "[1:2]:3",
  "host:1",
])("%s is not an address", (text) => {
  expect(parseAddress(text)).toBeUndefined();
});

it("never throws", () => {
  fc.assert(
    fc.property(fc.string(), (text) => void parseAddress(text)),
    { seed: 4_291, numRuns: 500 },
  );
});

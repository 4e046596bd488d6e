import { expect, test } from "vitest";
import { reachable, routeTo } from "./relay-route.ts";

const [six, four] = ["[2001:db8::1]:4433", "198.51.100.1:4433"];
const relay = { address: six, also: [four], pin: "aa" };
const network = (...addresses: readonly string[]) => ({ port: 1, interfaces: [{ name: "eth0", addresses, isDefault: true }] });

test("only what the network has an address for is dialled; what is not known to be out of reach may be tried", () => {
  expect(reachable(relay, network("192.168.1.2"))).toEqual([four]);
  expect(reachable(relay, network("2001:db8:1::2"))).toEqual([six]);
  expect(reachable(relay, network("2001:db8:1::2", "192.168.1.2"))).toEqual([six, four]);
  expect(reachable(relay, undefined)).toEqual([six, four]);
  expect(reachable({ address: six, pin: "aa" }, network("192.168.1.2"))).toEqual([six]);
});

test("each attempt takes the next address, unless one has answered", () => {
  const ways = [six, four];
  expect([1, 2, 3].map((number) => routeTo(ways, new Set(), number))).toEqual([six, four, six]);
  expect(routeTo(ways, new Set([four]), 1)).toBe(four);
  expect(routeTo(ways, new Set([four, six]), 2)).toBe(six);
});

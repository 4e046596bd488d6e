import { expect, test } from "vitest";
import { reachable, waysTo } from "./relay-route.ts";

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

test("what has answered is dialled first, then what served last, then what is preferred", () => {
  const third = "198.51.100.2:4433";
  const ways = [six, four, third];
  expect(waysTo(ways, new Set(), undefined)).toEqual(ways);
  expect(waysTo(ways, new Set(), four)).toEqual([four, six, third]);
  expect(waysTo(ways, new Set([third]), four)).toEqual([third, four, six]);
  expect(waysTo(ways, new Set([four, six]), third)).toEqual([six, four, third]);
});

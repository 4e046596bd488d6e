import { expect, test } from "vitest";
import { flap, parseScenario, roam, type WrittenFault, type WrittenScenario } from "./index.ts";

const PHONE = { alice: { interfaces: { wlan0: "wifi-ok", cell0: "lte-move", eth0: "lan" } } } as const;
const parsed = (parties: WrittenScenario["parties"] & object, faults: readonly WrittenFault[]) =>
  parseScenario({ name: "case", asks: "Is it so?", parties, faults });

test("a roam goes from the first interface to the second, unless told otherwise; a flap is so many downs, evenly spread", () => {
  const read = parsed(PHONE, [
    roam("alice", { at: "1s", overlap: "300ms", for: "2s" }),
    roam("alice", { at: "5s", from: "cell0", gap: "100ms" }),
    ...flap("alice", { at: "6s", changes: 4, over: "2s", interface: "eth0" }),
  ]);
  expect(read.ok && read.scenario.faults).toMatchObject([
    { kind: "roam", from: "wlan0", to: "cell0", overlap: 300_000, gap: 0, for: 2_000_000 },
    { kind: "roam", from: "cell0", to: "wlan0", overlap: 0, gap: 100_000, for: null },
    { kind: "interface-down", interface: "eth0", when: { at: 6_000_000 }, for: 500_000 },
    { kind: "interface-down", interface: "eth0", when: { at: 7_000_000 }, for: 500_000 },
  ]);
  expect(() => flap("alice", { at: "6s", changes: 3, over: "2s" })).toThrow(RangeError);
});

test.for<[string, WrittenScenario["parties"] & object, WrittenFault, string]>([
  ["nowhere to go", {}, roam("bob", { at: "1s" }), 'faults[0].target: "bob" has one interface, eth0: want a party with two'],
  [
    "where it comes from",
    PHONE,
    roam("alice", { at: "1s", from: "cell0", to: "cell0" }),
    'faults[0].to: "cell0" is where it comes from',
  ],
  [
    "an interface there is not",
    PHONE,
    roam("alice", { at: "1s", to: "cell1" }),
    'faults[0].to: "cell1" is not an interface of alice',
  ],
  [
    "overlap and gap",
    PHONE,
    roam("alice", { at: "1s", overlap: "1s", gap: "1s" }),
    "faults[0]: has overlap and gap: want one of them",
  ],
  [
    "back before it is there",
    PHONE,
    roam("alice", { at: "1s", gap: "2s", for: "1s" }),
    "faults[0].for: 1s is over before the change is",
  ],
])("a roam to %s is refused", ([, parties, fault, complaint]) => {
  const read = parsed(parties, [fault]);
  expect(read.ok ? [] : read.problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([
    expect.stringContaining(complaint),
  ]);
});

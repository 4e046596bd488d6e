import { describe, expect, test } from "vitest";
import { HOME, party } from "./topology-bench.fixture.ts";
import { creation } from "./topology-commands.ts";
import { planTopology } from "./topology-plan.ts";

const NATS = { flat: { ...HOME, behind: "carrier" }, carrier: HOME, office: HOME };
const PARTIES = {
  alice: party({ wlan0: "flat", cell0: "carrier" }),
  bob: party({ eth0: "office" }),
  r1: party({ eth0: null }, "relay"),
  r2: party({ eth0: null }, "relay"),
};
const plan = planTopology("0a1b", NATS, PARTIES);

describe("a plan", () => {
  test("numbers addresses in order of declaration, a NAT before one behind it", () => {
    expect(
      plan.ports.map(({ party: owner, interface: name, address, gateway }) => [owner, name, address, gateway.address]),
    ).toEqual([
      ["alice", "wlan0", "192.168.1.2", "192.168.1.1"],
      ["alice", "cell0", "192.168.2.2", "192.168.2.1"],
      ["bob", "eth0", "192.168.3.2", "192.168.3.1"],
      ["r1", "eth0", "198.51.100.1", "169.254.0.1"],
      ["r2", "eth0", "198.51.100.2", "169.254.0.1"],
    ]);
    expect([...plan.nats.values()].map(({ name, host }) => [name, host])).toEqual([
      ["flat", "100.64.2.2"],
      ["carrier", "203.0.113.1"],
      ["office", "203.0.113.2"],
    ]);
    expect(plan.nats.get("flat")?.outsideAddresses()).toBe("100.64.2.3");
  });

  test("gives every cable end a hardware address of its own, and every namespace the run's name", () => {
    const macs = [
      ...plan.ports.flatMap(({ mac, far }) => [mac, far.mac]),
      ...[...plan.nats.values()].flatMap((nat) => [nat.bridgeMac, nat.wanMac, nat.far.mac]),
    ];
    expect(new Set(macs).size).toBe(macs.length);
    expect(plan.namespaces).toEqual(
      ["alice", "bob", "r1", "r2", "flat", "carrier", "office", "INTERNET", "WIRES"].map((name) => `mc-0a1b-${name}`),
    );
  });

  test("shortens names that the kernel has no room for, and keeps them apart", () => {
    const { ports } = planTopology(
      "0a1b",
      {},
      { alice: party({ "an-interface-of-some-kind": null, "an-interface-of-another": null }) },
    );
    const devices = ports.map(({ device }) => device);
    expect(new Set(devices).size).toBe(2);
    for (const device of devices) expect(device.length).toBeLessThanOrEqual(15);
  });

  test("goes on in another block where 254 addresses are not enough", () => {
    const crowd = Object.fromEntries(Array.from({ length: 256 }, (_, k) => [`r${k + 1}`, party({ eth0: null })]));
    expect(
      planTopology("0a1b", {}, crowd)
        .ports.slice(253)
        .map(({ address }) => address),
    ).toEqual(["198.51.100.254", "198.18.0.255", "198.18.1.0"]);
  });

  test("makes nothing outside the run's namespaces", () => {
    for (const line of creation(plan, new Map([["bob", 77]]))) {
      expect(line).toMatch(/^netns (add|attach) mc-0a1b-|^link add \S+ .*netns mc-0a1b-\S+ .*peer name .*netns mc-0a1b-/);
    }
    expect(creation(plan, new Map([["bob", 77]]))).toContain("netns attach mc-0a1b-bob 77");
  });
});

test.each([
  ["a run's name that is none", () => planTopology("xyz", {}, PARTIES)],
  ["an unknown NAT", () => planTopology("0a1b", {}, { alice: party({ eth0: "nowhere" }) })],
  ["a NAT behind an unknown one", () => planTopology("0a1b", { home: { ...HOME, behind: "nowhere" } }, {})],
  ["NATs in a circle", () => planTopology("0a1b", { a: { ...HOME, behind: "b" }, b: { ...HOME, behind: "a" } }, {})],
  ["a party without interfaces", () => planTopology("0a1b", {}, { alice: party({}) })],
  [
    "more NATs than there are addresses to classify them",
    () => planTopology("0a1b", Object.fromEntries(Array.from({ length: 128 }, (_, k) => [`n${k}`, HOME])), {}),
  ],
])("%s is the caller's mistake", (_, build) => expect(build).toThrow(RangeError));

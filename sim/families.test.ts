/** Hosts with IPv6, with both families, and with others than before. */
import { beforeEach, expect, test } from "vitest";
import { randomness } from "../impl/base/random.ts";
import type { Saying } from "../impl/base/record.ts";
import { Instant } from "../impl/base/units.ts";
import { parseScenario } from "../scenarios/language.ts";
import type { Socket } from "./host.ts";
import { Kernel } from "./kernel.ts";
import { Network } from "./network.ts";

const read = parseScenario({
  name: "families",
  asks: "Who reaches whom?",
  nats: { carrier: "cgnat", home: { preset: "home", behind: "carrier" } },
  parties: {
    alice: { nat: "home", families: ["v4", "v6"], link: "lan" },
    bob: { nat: "symmetric", families: ["v6"], link: "lan" },
    r1: { role: "relay", families: ["v6", "v4"], link: "lan" },
  },
});
if (!read.ok) throw new RangeError(JSON.stringify(read.problems));
const { nats, parties } = read.scenario;

let kernel: Kernel;
let network: Network;
let drops: Saying[];
let heard: Map<string, { readonly from: string; readonly payload: unknown }[]>;
let sockets: Map<string, Socket>;

beforeEach(() => {
  kernel = new Kernel();
  drops = [];
  heard = new Map();
  network = new Network({ kernel, randomness: randomness(1), nats, parties, say: (_, saying) => void drops.push(saying) });
  sockets = new Map(
    Object.keys(parties).map((name) => {
      heard.set(name, []);
      return [name, network.socket(name, 4_433, (from, { payload }) => heard.get(name)?.push({ from, payload }))];
    }),
  );
});

const settle = (): void => kernel.run(Instant.after(kernel.now, 1_000_000 as never));
const send = (from: string, to: string, payload: string): void => {
  sockets.get(from)?.send(to, { bytes: 100, payload });
  settle();
};
const [ALICE, BOB, RELAY] = ["[2001:db8:2::2]:4433", "[2001:db8:3::2]:4433", "[2001:db8::1]:4433"];

test("addresses are those of the plan, IPv6 first", () => {
  expect(network.addresses("alice")).toEqual(["2001:db8:2::2", "192.168.2.2"]);
  expect(network.addresses("bob")).toEqual(["2001:db8:3::2"]);
  expect(network.addresses("r1")).toEqual(["2001:db8::1", "198.51.100.1"]);
});

test("IPv6 leaves through two firewalls untranslated, and only the answer comes back in", () => {
  send("r1", ALICE, "unasked");
  expect(drops).toEqual([{ ev: "drop", where: "nat carrier", cause: "nat-filtering", bytes: 100 }]);
  send("alice", RELAY, "question");
  send("r1", ALICE, "answer");
  expect([heard.get("r1"), heard.get("alice")]).toEqual([
    [{ from: ALICE, payload: "question" }],
    [{ from: RELAY, payload: "answer" }],
  ]);
  send("alice", "198.51.100.1:4433", "translated");
  expect(heard.get("r1")?.[1]?.from).not.toContain("192.168");
});

test("two homes reach each other once both have sent", () => {
  send("alice", BOB, "knock");
  send("bob", ALICE, "hello");
  send("alice", BOB, "hello");
  expect([heard.get("alice"), heard.get("bob")]).toEqual([
    [{ from: BOB, payload: "hello" }],
    [{ from: ALICE, payload: "hello" }],
  ]);
});

test("who has no address of a family sends nothing of it", () => {
  send("bob", "198.51.100.1:4433", "lost");
  expect(drops).toEqual([{ ev: "drop", where: "bob", cause: "no-route", bytes: 100 }]);
});

test("an address that a fault takes is gone both ways and comes back the same; one that it gives is told, and its packets counted", () => {
  let changes = 0;
  network.onAddressChange("alice", () => void changes++);
  send("alice", RELAY, "before");
  const undo = network.setFamilies("alice", "eth0", ["v4"], 3);
  send("r1", ALICE, "late");
  send("alice", RELAY, "nowhere");
  expect(drops.map((drop) => drop.ev === "drop" && [drop.where, drop.cause, drop.fault])).toEqual([
    ["internet", "no-route", 3],
    ["alice", "no-route", 3],
  ]);
  undo();
  send("alice", RELAY, "after");
  expect(heard.get("r1")?.map((one) => one.from)).toEqual([ALICE, ALICE]);
  network.setFamilies("bob", "eth0", ["v4", "v6"], 4);
  expect(network.hostNetwork("bob", 4_433).interfaces[0]?.addresses).toEqual(["2001:db8:3::2", "192.168.3.2"]);
  send("bob", "198.51.100.1:4433", "new");
  expect([changes, network.touched(3), network.touched(4)]).toEqual([2, 0, 1]);
});

test("of several faults that give an interface other families, the latest that is still there has its way, and at last it has its own", () => {
  const has = (): readonly string[] => network.addresses("alice").toSorted();
  const first = network.setFamilies("alice", "eth0", ["v6"], 1);
  const second = network.setFamilies("alice", "eth0", ["v4"], 2);
  first();
  expect(has()).toEqual(["192.168.2.2"]);
  const third = network.setFamilies("alice", "eth0", ["v6"], 3);
  expect(has()).toEqual(["2001:db8:2::2"]);
  third();
  expect(has()).toEqual(["192.168.2.2"]);
  second();
  expect(has()).toEqual(["192.168.2.2", "2001:db8:2::2"]);
});

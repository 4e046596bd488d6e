import { expect, test } from "vitest";
import { Instant } from "../impl/base/units.ts";
import type { Fault, Scenario } from "../scenarios/expanded.ts";
import { blackout, blockQuic, blockUdp, impair, kill, pause, rebind, roam, scenario, starve } from "../scenarios/index.ts";
import { armFaults, type FaultyNetwork } from "./faults.ts";
import type { LabParty } from "./lab-party.ts";
import { mergedLog } from "./merged-log.ts";

/** Everything that is done, in order; a clock that goes as far as it is told; operations that take effect at once unless they are to fail. */
function world(faults: readonly Fault[], failing?: keyof FaultyNetwork) {
  let now = 0;
  let timers: { at: number; action: () => void }[] = [];
  const done: string[] = [];
  const failures: unknown[] = [];
  const log = mergedLog((_, record) => {
    if (record.ev === "fault") done.push(`${record.state} ${record.label}`);
    if (record.ev === "touched") done.push(`touched ${record.fault} ${record.packets}`);
  });
  const does =
    (what: string) =>
    async (...words: unknown[]): Promise<void> => {
      if (what === failing) throw new Error(`no ${what}`);
      done.push([what, ...words].join(" "));
    };
  const network: FaultyNetwork = {
    rebind: async (nat, fault, other) => does("rebind")(nat, fault, ...(other === undefined ? [] : [other])),
    renumber: does("renumber"),
    expire: does("expire"),
    setInterface: does("setInterface"),
    block: async (nat, { what }, fault) => {
      done.push(`block ${nat} ${what} ${fault}`);
      return async () => void done.push(`unblock ${fault}`);
    },
    partition: async (...words) => {
      done.push(["partition", ...words].join(" "));
      return async () => void done.push(`mend ${words.at(-1)}`);
    },
    setFamilies: async (party, name, families, fault) => {
      done.push(`families ${party}/${name} ${families.join(" ")} ${fault}`);
      return async () => void done.push(`unfamilies ${fault}`);
    },
    prefer: async (...words) => {
      done.push(["prefer", ...words].join(" "));
      return async () => void done.push(`unprefer ${words.at(-1)}`);
    },
    setProcess: (party, deadBy) => void done.push(`setProcess ${party} ${deadBy}`),
    lay: (party, name, direction, overlay, fault) => {
      done.push(`lay ${fault} ${party}/${name} ${direction} ${JSON.stringify(overlay)}`);
      return () => void done.push(`lift ${fault}`);
    },
    touched: (fault) => fault * 10,
  };
  const party = {
    kill: does("killed"),
    gone: does("gone"),
    standBy: does("stand-by"),
    start: does("started"),
    started: async () => undefined,
    pause: () => void done.push("paused"),
    resume: () => void done.push("resumed"),
    takeTurns: (still: number, every: number) => {
      done.push(`turns ${still} of ${every}`);
      return () => void done.push("no more turns");
    },
    order: (order: { type: string }) => void done.push(order.type),
  } as unknown as LabParty;
  const base = scenario({ name: "test", asks: "?", duration: "20s", expect: [] });
  const asked: Scenario = { ...base, faults };
  const clock = {
    now: () => Instant(now),
    at: (at: number, action: () => void) => void timers.push({ at, action }),
  } as unknown as Parameters<typeof armFaults>[1]["clock"];
  const parties = new Map(["alice", "r1"].map((name) => [name, party]));
  const messages = new Map([[0, 3]]);
  const armed = armFaults(asked, {
    ...{ seed: 1, clock, epoch: 7, log, network, parties, messages },
    refugesFrom: () => [],
    again: (party) => void done.push(`again ${party}`),
    say: (who, saying) => log.say(now, who, saying),
    fail: (error) => failures.push(error),
  });
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) await armed.settled();
  };
  const until = async (at: number): Promise<void> => {
    for (;;) {
      const next = timers.filter((one) => one.at <= at).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      timers = timers.filter((one) => one !== next);
      now = next.at;
      next.action();
      await settle();
    }
    now = at;
  };
  return { done, failures, until, armed, log };
}

const faultsOf = (...written: Parameters<typeof scenario>[0]["faults"] & object): readonly Fault[] =>
  scenario({ name: "test", asks: "?", duration: "20s", expect: [], parties: { alice: { nat: "home" } }, faults: written }).faults;

test("a killed process has its successor stand by while it is down; healed, that one starts", async () => {
  const { done, until } = world(faultsOf(kill("r1", { at: "5s", for: "3s" })));
  await until(4_999_999);
  expect(done).toEqual([]);
  await until(5_000_000);
  expect(done).toEqual(["applied kill r1", "killed", "setProcess r1 0", "stand-by 1"]);
  await until(20_000_000);
  expect(done.slice(4)).toEqual(["setProcess r1 undefined", "started 7", "again r1", "healed kill r1"]);
});

test("a starved process takes turns until it is over", async () => {
  const { done, until } = world(faultsOf(starve("r1", { at: "5s", for: "250ms", share: 0.4 })));
  await until(5_249_999);
  expect(done).toEqual(["applied starve r1 to 40 % in turns of 100ms", "turns 60000 of 100000"]);
  await until(20_000_000);
  expect(done.slice(2)).toEqual(["no more turns", "healed starve r1 to 40 % in turns of 100ms"]);
});

test("a process that two faults hold still runs on when the last lets go", async () => {
  const { done, until } = world(faultsOf(pause("r1", { at: "5s", for: "2s" }), pause("r1", { at: "6s", for: "2s" })));
  await until(7_500_000);
  expect(done.filter((one) => one === "resumed")).toEqual([]);
  await until(20_000_000);
  expect(done.filter((one) => one === "resumed")).toEqual(["resumed"]);
});

test("a process that two faults keep down comes back when the last lets go; one that is killed for good meanwhile does not", async () => {
  const { done, until } = world(faultsOf(kill("r1", { at: "5s", for: "2s" }), kill("r1", { at: "6s", for: "2s" })));
  await until(7_500_000);
  expect(done.filter((one) => /^(started|healed)/.test(one))).toEqual(["healed kill r1"]);
  await until(20_000_000);
  expect(done.filter((one) => /^(started|healed)/.test(one))).toEqual(["healed kill r1", "started 7", "healed kill r1"]);
  const other = world(faultsOf(kill("r1", { at: "5s", for: "2s" }), kill("r1", { at: "6s" })));
  await other.until(20_000_000);
  expect(other.done.filter((one) => one.startsWith("started"))).toEqual([]);
});

test("a fault without an end is never healed, and a process killed for good has no stand-by", async () => {
  const { done, until } = world(faultsOf(kill("r1", { at: "5s" }), rebind("alice", { at: "6s" })));
  await until(20_000_000);
  expect(done).toEqual(["applied kill r1", "killed", "setProcess r1 0", "applied rebind alice-home", "rebind alice-home 1"]);
});

test("a triggered fault strikes its delay after the record that triggers it", async () => {
  const [timed] = faultsOf(pause("r1", { at: "1s", for: "1s" }));
  const after = { match: { ev: "call", state: "active" }, nth: 2, delay: 500_000 };
  const { done, until, log } = world(timed === undefined ? [] : [{ ...timed, when: { after } }]);
  const active = { ev: "call", call: "c", state: "active", peer: "p" } as const;
  log.say(2_000_000, "alice", active);
  await until(9_000_000);
  expect(done).toEqual([]);
  log.say(9_000_000, "bob", active);
  await until(9_499_999);
  expect(done).toEqual([]);
  await until(20_000_000);
  expect(done).toEqual(["applied pause r1", "paused", "resumed", "healed pause r1"]);
});

test("a link fault is laid with its number and lifted; a blackout loses everything; what was touched is said in the end", async () => {
  const faults = faultsOf(
    blackout("alice", { at: "1s", for: "1s" }),
    impair("alice", { at: "3s", link: { loss: 0.5 }, direction: "up" }),
  );
  const { done, until, armed } = world(faults);
  await until(20_000_000);
  expect(done).toEqual([
    "applied blackout alice eth0 both",
    'lay 0 alice/eth0 both {"loss":1}',
    "lift 0",
    "healed blackout alice eth0 both",
    "applied impair alice eth0 up: loss",
    'lay 1 alice/eth0 up {"loss":0.5}',
  ]);
  armed.finish();
  expect(done.slice(6)).toEqual(["touched 0 3", "touched 1 10"]);
});

test("an interface that two faults hold down comes up with the second", async () => {
  const down = (at: number, length: number): Fault => ({
    ...{ kind: "interface-down", target: "alice", interface: "eth0" },
    ...{ when: { at }, for: length },
  });
  const { done, until } = world([down(1_000_000, 3_000_000), down(2_000_000, 4_000_000)]);
  await until(20_000_000);
  expect(done.filter((one) => one.startsWith("setInterface"))).toEqual([
    "setInterface alice eth0 false 0",
    "setInterface alice eth0 true 1",
  ]);
  expect(done.at(-2)).toBe("setInterface alice eth0 true 1");
});

const PHONE = { alice: { interfaces: { wlan0: { nat: "home" }, cell0: "lte-move" } } } as const;
const roams = (...written: Parameters<typeof scenario>[0]["faults"] & object): readonly Fault[] =>
  scenario({ name: "test", asks: "?", duration: "20s", expect: [], parties: PHONE, faults: written }).faults;

test("a roam that makes before it breaks prefers the new interface, then drops the old one, and back the other way round", async () => {
  const { done, until } = world(roams(roam("alice", { at: "1s", overlap: "2s", for: "5s" })));
  await until(2_999_999);
  expect(done).toEqual(["applied roam alice wlan0 to cell0, overlap 2s", "prefer alice cell0 wlan0 0"]);
  await until(20_000_000);
  expect(done.slice(2)).toEqual([
    "setInterface alice wlan0 false 0",
    "setInterface alice wlan0 true 0",
    "unprefer 0",
    "healed roam alice wlan0 to cell0, overlap 2s",
  ]);
});

test("a roam that breaks before it makes has neither interface for its gap; one at once has the new one at once", async () => {
  const { done, until } = world(
    roams(roam("alice", { at: "1s", gap: "300ms" }), roam("alice", { at: "9s", from: "cell0", for: "1s" })),
  );
  await until(1_299_999);
  expect(done).toEqual([
    "applied roam alice wlan0 to cell0, gap 300ms",
    "setInterface alice cell0 false 0",
    "setInterface alice wlan0 false 0",
  ]);
  await until(1_300_000);
  expect(done.at(-1)).toBe("setInterface alice cell0 true 0");
  await until(20_000_000);
  expect(done.slice(4)).toEqual([
    "applied roam alice cell0 to wlan0",
    "setInterface alice cell0 false 1",
    "setInterface alice cell0 true 1",
    "healed roam alice cell0 to wlan0",
  ]);
});

test("UDP or QUIC is blocked at the NAT of the party named, and let through when healed", async () => {
  const { done, until } = world(
    faultsOf(blockUdp("alice", { at: "1s", for: "2s" }), blockQuic("alice-home", { at: "2s", for: "2s" })),
  );
  await until(20_000_000);
  expect(done).toEqual([
    ...["applied block-udp alice-home", "block alice-home udp 0", "applied block-quic alice-home", "block alice-home quic 1"],
    ...["unblock 0", "healed block-udp alice-home", "unblock 1", "healed block-quic alice-home"],
  ]);
});

test("what the machine refuses is the lab's failure, not the scenario's", async () => {
  const { failures, until } = world(faultsOf(rebind("alice", { at: "1s" })), "rebind");
  await until(20_000_000);
  expect(failures.map(String)).toEqual(["Error: no rebind"]);
});

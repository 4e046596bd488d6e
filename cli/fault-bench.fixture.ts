/** A small scenario for every fault that touches the network or a process: what each must do in every laboratory alike. */
import type { Scenario } from "../scenarios/expanded.ts";
import type { WrittenFault } from "../scenarios/fault-language.ts";
import {
  blackout,
  disturbSignalling,
  expectConnect,
  expectMedia,
  expectRecovery,
  expectSameCall,
  expire,
  flap,
  impair,
  kill,
  pause,
  rebind,
  renumber,
  roam,
  scenario,
} from "../scenarios/index.ts";
import type { WrittenScenario } from "../scenarios/written-scenario.ts";

type Bench = {
  /** In the order of their instants, far enough apart for each to be felt and got over. */
  readonly faults: readonly WrittenFault[];
  /** Numbers of the faults after which media flow again. */
  readonly heals: readonly number[];
  readonly duration: string;
  readonly alice?: NonNullable<WrittenScenario["parties"]>["alice"];
};

/** chosen: what the model needs is a third of it; the rest is for a machine that does other things too. How soon exactly is what `midcall parity` measures. */
const WITHIN = "2s";

const home = { nat: "home" } as const;
/** A phone: Wi-Fi at home, and a carrier's network beside it. */
const phone = {
  interfaces: { wlan0: { nat: "home" }, cell0: { link: { profile: "broadband", delay: "40ms" }, nat: "cgnat" } },
} as const;

/** What the relay goes on sending finds nobody at the old address, until it hears from the new one. */
const unheard = (at: string): WrittenFault => blackout("alice", { at, for: "1500ms", direction: "up" });

/** Several faults in one call where that is possible: a laboratory takes as long to come up as a fault to be got over. */
const BENCHES: Readonly<Record<string, Bench>> = {
  "nat-rebind-renumber-expire": {
    alice: home,
    faults: [rebind("alice", { at: "2s" }), renumber("alice", { at: "4500ms" }), expire("alice", { at: "7s" })],
    heals: [0, 1, 2],
    duration: "10s",
  },
  "nat-rebind-renumber-unheard": {
    alice: home,
    faults: [unheard("2s"), rebind("alice", { at: "2100ms" }), unheard("6s"), renumber("alice", { at: "6100ms" })],
    heals: [0, 2],
    duration: "10s",
  },
  "roam-make-before-break": { alice: phone, faults: [roam("alice", { at: "2s", overlap: "500ms" })], heals: [0], duration: "7s" },
  "roam-abrupt-back-with-gap": {
    alice: phone,
    faults: [roam("alice", { at: "2s", for: "2s" }), roam("alice", { at: "7s", gap: "500ms" })],
    heals: [0, 1],
    duration: "11s",
  },
  "interface-flap-udp-blocked": {
    alice: home,
    faults: [...flap("alice", { at: "2s", changes: 6, over: "2400ms" }), blackout("alice", { at: "7s", for: "1500ms" })],
    heals: [2, 3],
    duration: "11s",
  },
  "relay-restart-pause": {
    faults: [kill("r1", { at: "2s", for: "1s" }), pause("r1", { at: "5500ms", for: "1s" })],
    heals: [0, 1],
    duration: "9500ms",
  },
  "relay-partition-and-one-way": {
    faults: [blackout("r1", { at: "2s", for: "1s" }), blackout("r1", { at: "5500ms", for: "1s", direction: "up" })],
    heals: [0, 1],
    duration: "9500ms",
  },
  "relay-kill": { faults: [kill("r1", { at: "3s" })], heals: [], duration: "7s" },
  "client-kill": { faults: [kill("bob", { at: "3s" })], heals: [], duration: "7s" },
  "client-pause-loss-delay-step": {
    faults: [
      pause("bob", { at: "2s", for: "1s" }),
      impair("alice", { at: "5s", for: "2s", direction: "up", link: { loss: 0.3 } }),
      impair("alice", { at: "8s", for: "2s", link: { delay: "150ms" } }),
    ],
    heals: [0, 1, 2],
    duration: "12500ms",
  },
  "signalling-slow": {
    alice: home,
    faults: [disturbSignalling("alice", { at: "100ms", for: "5s", effect: { delay: "300ms" } })],
    heals: [],
    duration: "7s",
  },
};

export const FAULT_BENCHES: readonly Scenario[] = Object.entries(BENCHES).map(([name, { faults, heals, duration, alice }]) =>
  scenario({
    name,
    asks: "Do these faults do what they say?",
    duration,
    parties: alice === undefined ? {} : { alice },
    calls: [{ at: "500ms", answerAfter: "100ms", callerSays: "tone", calleeSays: "tone" }],
    faults,
    expect: [
      expectConnect(),
      expectMedia({ frames: 50 }),
      ...heals.map((fault) => expectRecovery({ within: WITHIN, from: "heal", fault })),
      ...(heals.length > 0 ? [expectSameCall()] : []),
    ],
  }),
);

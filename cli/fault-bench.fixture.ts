/** A small scenario for every fault that touches the network or a process: what each must do in every laboratory alike. */
import type { Scenario } from "../scenarios/expanded.ts";
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
  readonly faults: NonNullable<WrittenScenario["faults"]>;
  /** Whether media flow again after it. */
  readonly heals: boolean;
  readonly alice?: NonNullable<WrittenScenario["parties"]>["alice"];
};

/** chosen: what the model needs is a third of it; the rest is for a machine that does other things too. How soon exactly is what `midcall parity` measures. */
const WITHIN = "2s";

const home = { nat: "home" } as const;
/** A phone: Wi-Fi at home, and a carrier's network beside it. */
const phone = {
  interfaces: { wlan0: { nat: "home" }, cell0: { link: { profile: "broadband", delay: "40ms" }, nat: "cgnat" } },
} as const;

const BENCHES: Readonly<Record<string, Bench>> = {
  "nat-rebind": { alice: home, faults: [rebind("alice", { at: "2s" })], heals: true },
  "nat-renumber": { alice: home, faults: [renumber("alice", { at: "2s" })], heals: true },
  "nat-expire": { alice: home, faults: [expire("alice", { at: "2s" })], heals: true },
  // What the relay goes on sending finds nobody at the old address, until it hears from the new one.
  "nat-rebind-unheard": {
    alice: home,
    faults: [rebind("alice", { at: "2100ms" }), blackout("alice", { at: "2s", for: "1500ms", direction: "up" })],
    heals: true,
  },
  "nat-renumber-unheard": {
    alice: home,
    faults: [renumber("alice", { at: "2100ms" }), blackout("alice", { at: "2s", for: "1500ms", direction: "up" })],
    heals: true,
  },
  "roam-make-before-break": { alice: phone, faults: [roam("alice", { at: "2s", overlap: "500ms" })], heals: true },
  "roam-break-before-make": { alice: phone, faults: [roam("alice", { at: "2s", gap: "500ms" })], heals: true },
  "roam-abrupt-and-back": { alice: phone, faults: [roam("alice", { at: "2s", for: "2s" })], heals: true },
  "interface-flap": { alice: home, faults: flap("alice", { at: "2s", changes: 6, over: "2400ms" }), heals: true },
  "udp-blocked": { alice: home, faults: [blackout("alice", { at: "2s", for: "1500ms" })], heals: true },
  "relay-kill": { faults: [kill("r1", { at: "3s" })], heals: false },
  "relay-restart": { faults: [kill("r1", { at: "2s", for: "1s" })], heals: true },
  "relay-pause": { faults: [pause("r1", { at: "2s", for: "1s" })], heals: true },
  "relay-partition": { faults: [blackout("r1", { at: "2s", for: "1s" })], heals: true },
  "relay-partition-one-way": { faults: [blackout("r1", { at: "2s", for: "1s", direction: "up" })], heals: true },
  "client-kill": { faults: [kill("bob", { at: "3s" })], heals: false },
  "client-pause": { faults: [pause("bob", { at: "2s", for: "1s" })], heals: true },
  "loss-step": { faults: [impair("alice", { at: "2s", for: "2s", direction: "up", link: { loss: 0.3 } })], heals: true },
  "delay-step": { faults: [impair("alice", { at: "2s", for: "2s", link: { delay: "150ms" } })], heals: true },
  "signalling-slow": {
    alice: home,
    faults: [disturbSignalling("alice", { at: "100ms", for: "5s", effect: { delay: "300ms" } })],
    heals: false,
  },
};

/** Seven seconds are enough for every one of them to be felt and got over. */
export const FAULT_BENCHES: readonly Scenario[] = Object.entries(BENCHES).map(([name, { faults, heals, alice }]) =>
  scenario({
    name,
    asks: "Does the fault do what it says?",
    duration: "7s",
    parties: alice === undefined ? {} : { alice },
    calls: [{ at: "500ms", answerAfter: "100ms", callerSays: "tone", calleeSays: "tone" }],
    faults,
    expect: [
      expectConnect(),
      expectMedia({ frames: 50 }),
      ...(heals ? [expectRecovery({ within: WITHIN, from: "heal", fault: faults.length - 1 }), expectSameCall()] : []),
    ],
  }),
);

/** Every candidate update arrives twice. */
import type { Scenario } from "../expanded.ts";
import {
  disturbSignalling,
  expectConnect,
  expectFreshGenerations,
  expectLongestGap,
  expectMedia,
  expectPath,
  expectRefusal,
  expectSameCall,
  interfaceDown,
} from "../index.ts";
import { scenario } from "../scenario.ts";

/** 12.5 ms one way on each client's link: 50 ms round trip between the two, 25 ms to the relay. */
const link = { profile: "broadband", delay: "12500us" };

/** A phone: home WiFi, and a carrier's network that lets in only whom it has written to. The first interface that is up carries everything. */
const phone = { interfaces: { wlan0: { nat: "home", link }, cell0: { nat: "port-restricted", link } } };

const duplicateUpdate: Scenario = scenario({
  name: "duplicate-update",
  asks: "Is a candidate update that arrives twice applied once?",
  tags: ["ice", "nat"],
  duration: "12s",
  iceTransportPolicy: "all",

  parties: { alice: phone, bob: { nat: "home", link } },
  faults: [
    disturbSignalling("alice", { direction: "up", effect: { duplicate: 1, types: ["CandidateUpdate"] }, at: "3s", for: "6s" }),
    interfaceDown("alice", { interface: "wlan0", at: "5s" }),
  ],
  expect: [
    expectConnect(),
    expectMedia(),
    expectFreshGenerations(),
    expectRefusal({ party: "bob", reason: "stale-generation" }),
    expectLongestGap({ max: "160ms" }),
    expectPath({ path: "direct" }),
    expectSameCall(),
  ],
  twin: { mutation: "stale-update-applied", breaks: "generations-fresh" },
});

export default duplicateUpdate;

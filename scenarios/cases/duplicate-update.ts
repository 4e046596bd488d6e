/** Every candidate update arrives twice. */

import { link, phone } from "../direct-parts.ts";
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

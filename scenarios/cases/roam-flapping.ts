/** An interface that goes and comes ten times in twenty seconds. */

import { link, phone } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import {
  expectConcealment,
  expectConnect,
  expectLongestGap,
  expectMedia,
  expectPath,
  expectSameCall,
  interfaceDown,
} from "../index.ts";
import { scenario } from "../scenario.ts";

const roamFlapping: Scenario = scenario({
  name: "roam-flapping",
  asks: "Does an interface that changes ten times in twenty seconds cost a call only what each loss of it must?",
  tags: ["ice", "nat"],
  duration: "28s",
  iceTransportPolicy: "all",

  parties: { alice: phone, bob: { nat: "home", link } },
  faults: [
    interfaceDown("alice", { interface: "wlan0", at: "4s", for: "2s" }),
    interfaceDown("alice", { interface: "wlan0", at: "8s", for: "2s" }),
    interfaceDown("alice", { interface: "wlan0", at: "12s", for: "2s" }),
    interfaceDown("alice", { interface: "wlan0", at: "16s", for: "2s" }),
    interfaceDown("alice", { interface: "wlan0", at: "20s", for: "2s" }),
  ],
  expect: [
    expectConnect(),
    expectMedia(),
    expectLongestGap({ max: "120ms" }),
    // Ten changes, six frames each at most.
    expectConcealment({ max: 0.04 }),
    expectPath({ path: "direct" }),
    expectSameCall(),
  ],
  twin: { mutation: "relay-path-goes-cold", breaks: "longest-gap" },
});

export default roamFlapping;

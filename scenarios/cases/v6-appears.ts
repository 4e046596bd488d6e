/** Two homes whose NATs no direct path gets through, and one of them gets IPv6 in the middle of a call by the relay. */

import { link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { changeFamilies, expectConcealment, expectConnect, expectMedia, expectPath, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

const v6Appears: Scenario = scenario({
  name: "v6-appears",
  asks: "Does a call by the relay become a direct one, unheard, when a home gets the IPv6 that the other one has had all along?",
  tags: ["ice", "nat", "ipv6"],
  duration: "10s",
  iceTransportPolicy: "all",
  parties: {
    alice: { nat: "symmetric", link },
    bob: { nat: "symmetric", families: ["v4", "v6"], link },
    r1: { role: "relay", families: ["v4", "v6"] },
  },
  faults: [changeFamilies("alice", { families: ["v4", "v6"], at: "5s" })],
  expect: [expectConnect(), expectMedia(), expectConcealment({ max: 0.01 }), expectPath({ path: "direct" }), expectSameCall()],
  twin: { mutation: "candidates-of-set-up-only", breaks: "path-is" },
});

export default v6Appears;

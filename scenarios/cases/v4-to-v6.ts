/** A phone's network gives IPv4 up for IPv6 in the middle of a direct call, as where a phone moves from one WiFi to another of the same name. */

import { link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { changeFamilies, expectConnect, expectLongestGap, expectMedia, expectPath, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

const v4ToV6: Scenario = scenario({
  name: "v4-to-v6",
  asks: "Is a call soon heard again, and direct again, when a phone has lost IPv4 without warning and has IPv6 instead?",
  tags: ["ice", "nat", "ipv6", "roam"],
  duration: "12s",
  iceTransportPolicy: "all",
  parties: {
    alice: { nat: "home", link },
    bob: { nat: "home", families: ["v4", "v6"], link },
    r1: { role: "relay", families: ["v4", "v6"] },
  },
  faults: [changeFamilies("alice", { families: ["v6"], at: "5s" })],
  expect: [
    expectConnect(),
    expectMedia(),
    // No session can be kept: noticed within a frame, then one with the relay by its other address, two round trips of 25 ms, and what was under way.
    expectLongestGap({ max: "200ms" }),
    expectPath({ path: "direct" }),
    expectSameCall(),
  ],
  twin: { mutation: "family-lost-not-noticed", breaks: "longest-gap" },
});

export default v4ToV6;

/** A direct call over IPv6, its signalling by IPv6 as well, and IPv6 dies without a word under both paths at once: neither is there for the other to fall back on. */

import { link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectLongestGap, expectMedia, expectPath, expectSameCall, partition } from "../index.ts";
import { scenario } from "../scenario.ts";

const v6DiesUnderBoth: Scenario = scenario({
  name: "v6-dies-under-both",
  asks: "Is a direct call heard again within 400 ms, and direct again, when IPv6 dies under it and under its relay without any notification?",
  tags: ["ice", "relay", "ipv6", "recovery"],
  duration: "10s",
  iceTransportPolicy: "all",
  parties: {
    alice: { nat: "home", families: ["v4", "v6"], link },
    bob: { nat: "home", families: ["v4", "v6"], link },
    r1: { role: "relay", families: ["v4", "v6"] },
  },
  faults: [partition("alice", "bob", { family: "v6", at: "5s" }), partition("alice", "r1", { family: "v6", at: "5s" })],
  expect: [
    expectConnect(),
    expectMedia(),
    // The direct path is in doubt after two frames; the relay, silent for longer than that, is asked at once, and left for IPv4 after two questions.
    expectLongestGap({ max: "400ms" }),
    expectPath({ path: "direct" }),
    expectSameCall(),
  ],
  twin: { mutation: "dead-family-not-left", breaks: "longest-gap" },
});

export default v6DiesUnderBoth;

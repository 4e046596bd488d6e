/** The router of one party of a direct call gets another address. */

import { link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectLongestGap, expectMedia, expectPath, expectSameCall, renumber } from "../index.ts";
import { scenario } from "../scenario.ts";

const directNatRenumber: Scenario = scenario({
  name: "direct-nat-renumber",
  asks: "Is a change of a router's address heard for less than a syllable on the direct path?",
  tags: ["ice", "nat"],
  duration: "12s",
  iceTransportPolicy: "all",

  parties: { alice: { nat: "home", link }, bob: { nat: "port-restricted", link } },
  faults: [renumber("alice", { at: "5s" }), renumber("bob", { at: "8s" })],
  expect: [expectConnect(), expectMedia(), expectLongestGap({ max: "140ms" }), expectPath({ path: "direct" }), expectSameCall()],
  twin: { mutation: "relay-path-goes-cold", breaks: "longest-gap" },
});

export default directNatRenumber;

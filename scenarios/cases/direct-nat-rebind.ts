/** The router of one party of a direct call forgets its mappings and opens others: the peer's NAT lets nothing in from there. */

import { link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectLongestGap, expectMedia, expectPath, expectSameCall, rebind } from "../index.ts";
import { scenario } from "../scenario.ts";

const directNatRebind: Scenario = scenario({
  name: "direct-nat-rebind",
  asks: "Is a rebinding heard for no more than three frames on the direct path?",
  tags: ["ice", "nat"],
  duration: "12s",
  iceTransportPolicy: "all",

  parties: { alice: { nat: "home", link }, bob: { nat: "port-restricted", link } },
  faults: [rebind("alice", { at: "5s" }), rebind("bob", { at: "8s" })],
  expect: [expectConnect(), expectMedia(), expectLongestGap({ max: "60ms" }), expectPath({ path: "direct" }), expectSameCall()],
  twin: { mutation: "relay-path-goes-cold", breaks: "longest-gap" },
});

export default directNatRebind;

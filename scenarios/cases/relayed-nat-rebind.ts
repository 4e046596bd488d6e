/** A NAT moves both clients' mappings, one after the other, on the path by the relay: their sessions with it go on from other ports. */

import { link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectLongestGap, expectMedia, expectPath, expectSameCall, rebind } from "../index.ts";
import { scenario } from "../scenario.ts";

const relayedNatRebind: Scenario = scenario({
  name: "relayed-nat-rebind",
  asks: "Is a rebinding heard for no more than three frames on the path by the relay?",
  tags: ["nat", "migration"],
  duration: "10s",
  parties: { alice: { nat: "home", link }, bob: { nat: "port-restricted", link } },
  faults: [rebind("alice", { at: "4s" }), rebind("bob", { at: "7s" })],
  expect: [expectConnect(), expectMedia(), expectLongestGap({ max: "60ms" }), expectPath({ path: "relay" }), expectSameCall()],
  twin: { mutation: "session-known-by-address", breaks: "longest-gap" },
});

export default relayedNatRebind;

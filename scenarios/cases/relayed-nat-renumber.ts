/** The routers of both clients get other addresses, one after the other, on the path by the relay. */

import { link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectLongestGap, expectMedia, expectPath, expectSameCall, renumber } from "../index.ts";
import { scenario } from "../scenario.ts";

const relayedNatRenumber: Scenario = scenario({
  name: "relayed-nat-renumber",
  asks: "Is a change of a router's address heard for less than a syllable on the path by the relay?",
  tags: ["nat", "migration"],
  duration: "10s",
  parties: { alice: { nat: "home", link }, bob: { nat: "port-restricted", link } },
  faults: [renumber("alice", { at: "4s" }), renumber("bob", { at: "7s" })],
  expect: [expectConnect(), expectMedia(), expectLongestGap({ max: "140ms" }), expectPath({ path: "relay" }), expectSameCall()],
  twin: { mutation: "session-known-by-address", breaks: "longest-gap" },
});

export default relayedNatRenumber;

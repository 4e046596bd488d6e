/** A firewall that looks at a flow for three seconds before it makes up its mind: the direct path is found, believed, and then gone for good. */

import { link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectLongestGap, expectMedia, expectPath, expectSameCall, lateKill } from "../index.ts";
import { scenario } from "../scenario.ts";

const lateKillCase: Scenario = scenario({
  name: "late-kill",
  asks: "Does the relay take over within a syllable when a firewall lets the direct path live for three seconds?",
  tags: ["ice", "nat"],
  duration: "12s",
  iceTransportPolicy: "all",

  parties: { alice: { nat: "home", link }, bob: { nat: "port-restricted", link } },
  faults: [lateKill("alice", { at: "500ms", lives: "3s", other: "bob" })],
  expect: [expectConnect(), expectMedia(), expectLongestGap({ max: "160ms" }), expectPath({ path: "relay" }), expectSameCall()],
  twin: { mutation: "relay-path-goes-cold", breaks: "longest-gap" },
});

export default lateKillCase;

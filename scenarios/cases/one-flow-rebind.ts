/** A symmetric NAT gives the flow to the peer another port and leaves the one to the relay alone: only the direct path has to move. */

import { link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectLongestGap, expectMedia, expectPath, expectSameCall, rebind } from "../index.ts";
import { scenario } from "../scenario.ts";

const oneFlowRebind: Scenario = scenario({
  name: "one-flow-rebind",
  asks: "Is it heard for no more than three frames when a NAT moves the direct path's port alone?",
  tags: ["ice", "nat", "migration"],
  duration: "10s",
  iceTransportPolicy: "all",

  parties: { alice: { nat: "symmetric", link }, bob: { nat: "full-cone", link } },
  faults: [rebind("alice", { at: "5s", other: "bob" })],
  expect: [expectConnect(), expectMedia(), expectLongestGap({ max: "60ms" }), expectPath({ path: "direct" }), expectSameCall()],
  twin: { mutation: "ready-not-understood", breaks: "path-is" },
});

export default oneFlowRebind;

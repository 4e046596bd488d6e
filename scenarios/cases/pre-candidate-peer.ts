/** The callee is of a version that knows no certificates and accepts no sessions: the relay carries the call as it always has. */

import { link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectPath, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

const preCandidatePeer: Scenario = scenario({
  name: "pre-candidate-peer",
  asks: "Does a client that could go directly still call one that has never heard of it?",
  tags: ["ice", "nat"],
  duration: "8s",

  parties: { alice: { nat: "home", link, iceTransportPolicy: "all" }, bob: { nat: "home", link } },

  expect: [expectConnect(), expectMedia(), expectPath({ path: "relay" }), expectSameCall()],
  twin: { mutation: "certificate-required", breaks: "call-connects" },
});

export default preCandidatePeer;

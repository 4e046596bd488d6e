/** The caller is of a version that knows no certificates and tells no addresses: the callee has nobody to meet, and the relay carries the call. */

import { link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectPath, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

const preCandidateCaller: Scenario = scenario({
  name: "pre-candidate-caller",
  asks: "Is a client that could go directly still reached by one that has never heard of it?",
  tags: ["ice", "nat"],
  duration: "8s",

  parties: { alice: { nat: "home", link }, bob: { nat: "home", link, iceTransportPolicy: "all" } },

  expect: [expectConnect(), expectMedia(), expectPath({ path: "relay" }), expectSameCall()],
  twin: { mutation: "offer-without-certificate-refused", breaks: "call-connects" },
});

export default preCandidateCaller;

/** The callee answers without revealing where it is: no address leaves it, and nothing that would show one to the caller. */

import { link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectPath, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

const privacyMode: Scenario = scenario({
  name: "privacy-mode",
  asks: "Does a callee that hides its address stay hidden, and the call on the relay, where both could reach each other?",
  tags: ["ice", "nat"],
  duration: "8s",
  iceTransportPolicy: "all",
  calls: [{ answer: "AcceptGeneric" }],
  parties: { alice: { nat: "home", link }, bob: { nat: "port-restricted", link } },

  expect: [expectConnect(), expectMedia(), expectPath({ path: "relay" }), expectSameCall()],
  twin: { mutation: "local-address-in-private-answer", breaks: "addresses-kept-private" },
});

export default privacyMode;

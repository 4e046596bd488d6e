/** The callee roams: it accepted the direct session, so that cannot follow it (RFC 9000 section 9), and a new one has to be raced for. */

import { link, phone } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectLongestGap, expectMedia, expectPath, expectSameCall, interfaceDown } from "../index.ts";
import { scenario } from "../scenario.ts";

const roamCallee: Scenario = scenario({
  name: "roam-callee",
  asks: "Is it no worse when the phone that roams is the one that was called?",
  tags: ["ice", "nat"],
  duration: "12s",
  iceTransportPolicy: "all",

  parties: { alice: { nat: "home", link }, bob: phone },
  faults: [interfaceDown("bob", { interface: "wlan0", at: "5s" })],
  expect: [expectConnect(), expectMedia(), expectLongestGap({ max: "120ms" }), expectPath({ path: "direct" }), expectSameCall()],
  twin: { mutation: "relay-path-goes-cold", breaks: "longest-gap" },
});

export default roamCallee;

/** WiFi goes and comes back three seconds later. */

import { link, phone } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectLongestGap, expectMedia, expectPath, expectSameCall, interfaceDown } from "../index.ts";
import { scenario } from "../scenario.ts";

const roamBack: Scenario = scenario({
  name: "roam-back",
  asks: "Does a call follow a phone to its carrier's network and back?",
  tags: ["ice", "nat"],
  duration: "12s",
  iceTransportPolicy: "all",

  parties: { alice: phone, bob: { nat: "home", link } },
  faults: [interfaceDown("alice", { interface: "wlan0", at: "5s", for: "3s" })],
  expect: [expectConnect(), expectMedia(), expectLongestGap({ max: "100ms" }), expectPath({ path: "direct" }), expectSameCall()],
  twin: { mutation: "relay-path-goes-cold", breaks: "longest-gap" },
});

export default roamBack;

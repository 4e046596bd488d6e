/** The phone comes home: WiFi appears beside the carrier's network and takes over, while the old address still receives. */

import { link, phone } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectLongestGap, expectMedia, expectPath, expectSameCall, interfaceDown } from "../index.ts";
import { scenario } from "../scenario.ts";

const roamMakeBeforeBreak: Scenario = scenario({
  name: "roam-make-before-break",
  asks: "Is nothing at all heard of a change of networks when the old one is still there?",
  tags: ["ice", "nat"],
  duration: "12s",
  iceTransportPolicy: "all",

  parties: { alice: phone, bob: { nat: "home", link } },
  faults: [interfaceDown("alice", { interface: "wlan0", at: "200ms", for: "4800ms" })],
  expect: [
    expectConnect(),
    expectMedia(),
    // One frame for the jitter of the links; the swap itself costs none.
    expectLongestGap({ max: "20ms" }),
    expectPath({ path: "direct" }),
    expectSameCall(),
  ],
  twin: { mutation: "one-path-at-a-time", breaks: "longest-gap" },
});

export default roamMakeBeforeBreak;

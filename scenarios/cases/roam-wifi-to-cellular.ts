/** The phone loses its WiFi without warning in the middle of a direct call. */

import { link, phone } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectLongestGap, expectMedia, expectPath, expectSameCall, interfaceDown } from "../index.ts";
import { scenario } from "../scenario.ts";

const roamWifiToCellular: Scenario = scenario({
  name: "roam-wifi-to-cellular",
  asks: "Is the abrupt end of a WiFi heard for no longer than a syllable in a direct call, in either direction?",
  tags: ["ice", "nat"],
  duration: "12s",
  iceTransportPolicy: "all",

  parties: { alice: phone, bob: { nat: "home", link } },
  faults: [interfaceDown("alice", { interface: "wlan0", at: "5s" })],
  expect: [
    expectConnect(),
    expectMedia(),
    // What was under way is lost; the relay carries copies as soon as one is overdue, some 80 ms after.
    expectLongestGap({ max: "100ms" }),
    expectPath({ path: "direct" }),
    expectSameCall(),
  ],
  twin: { mutation: "relay-path-goes-cold", breaks: "longest-gap" },
});

export default roamWifiToCellular;

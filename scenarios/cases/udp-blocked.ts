/** Nothing passes one party's link for four seconds, as behind a firewall that starts to block UDP: both paths are gone. */

import { link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { blackout, expectConnect, expectMedia, expectPath, expectRecovery, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

const udpBlocked: Scenario = scenario({
  name: "udp-blocked",
  asks: "Does a direct call come back by itself when a network stops letting UDP through and lets it again?",
  tags: ["ice", "nat"],
  duration: "16s",
  iceTransportPolicy: "all",

  parties: { alice: { nat: "home", link }, bob: { nat: "port-restricted", link } },
  faults: [blackout("alice", { at: "5s", for: "4s" })],
  expect: [
    expectConnect(),
    expectMedia(),
    expectRecovery({ within: "600ms", from: "heal" }),
    expectPath({ path: "direct" }),
    expectSameCall(),
  ],
  twin: { mutation: "call-stays-in-doubt", breaks: "path-is" },
});

export default udpBlocked;

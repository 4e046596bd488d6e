/** One party of a direct call reaches everybody but the relay, and later hears nothing of it while it is heard: the relay knows her by what her NAT shows. */

import { link, unheardOnDirectPath } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { partition } from "../index.ts";
import { scenario } from "../scenario.ts";

const cutOffFromRelay: Scenario = scenario({
  name: "cut-off-from-relay",
  asks: "Is nothing heard of it when one party of a direct call, behind her NAT, is cut off from the relay, both ways and then one way?",
  tags: ["ice", "nat"],
  duration: "17s",
  iceTransportPolicy: "all",

  parties: { alice: { nat: "home", link }, bob: { nat: "port-restricted", link } },
  faults: [
    partition("alice", "r1", { at: "5s", for: "3s" }),
    partition("alice", "r1", { at: "11s", for: "3s", direction: "down" }),
  ],
  expect: unheardOnDirectPath(),
  twin: { mutation: "hang-up-on-silence", breaks: "same-call" },
});

export default cutOffFromRelay;

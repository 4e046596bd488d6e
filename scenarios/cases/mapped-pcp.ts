/** Two symmetric NATs, which theory leaves to the relay; but one router opens a port when it is asked to (PCP, RFC 6887). */

import { directSoon, link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { scenario } from "../scenario.ts";

const mappedPcp: Scenario = scenario({
  name: "mapped-pcp",
  asks: "Does one port mapped by PCP let two clients behind symmetric NATs talk directly?",
  tags: ["ice", "nat"],
  labs: ["sim"],
  duration: "8s",
  iceTransportPolicy: "all",

  parties: { alice: { nat: "symmetric", link }, bob: { nat: { preset: "symmetric", portMapping: "pcp" }, link } },

  expect: directSoon(),
  twin: { mutation: "mapping-never-asked", breaks: "path-is" },
});

export default mappedPcp;

/** A router of before PCP: it refuses that as an unknown version and opens a port by NAT-PMP (RFC 6886) to a peer it would not let in. */

import { directSoon, link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { scenario } from "../scenario.ts";

const mappedNatPmp: Scenario = scenario({
  name: "mapped-nat-pmp",
  asks: "Does a port mapped by NAT-PMP, after PCP was refused, let a symmetric peer in through a NAT that filters by port?",
  tags: ["ice", "nat"],
  labs: ["sim"],
  duration: "8s",
  iceTransportPolicy: "all",

  parties: { alice: { nat: { preset: "port-restricted", portMapping: "nat-pmp" }, link }, bob: { nat: "symmetric", link } },

  expect: directSoon(),
  twin: { mutation: "no-nat-pmp", breaks: "path-is" },
});

export default mappedNatPmp;

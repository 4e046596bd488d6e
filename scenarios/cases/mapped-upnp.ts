/** A router that knows neither PCP nor NAT-PMP and opens a port by UPnP-IGD, to a peer it would not let in: found by SSDP, asked by HTTP. */

import { directSoon, link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { scenario } from "../scenario.ts";

const mappedUpnp: Scenario = scenario({
  name: "mapped-upnp",
  asks: "Does a port mapped by UPnP-IGD, told in an update when the call is up, let a symmetric peer in through a NAT that filters by port?",
  tags: ["ice", "nat"],
  labs: ["sim"],
  duration: "12s",
  iceTransportPolicy: "all",

  parties: { alice: { nat: { preset: "port-restricted", portMapping: "upnp-igd" }, link }, bob: { nat: "symmetric", link } },

  expect: directSoon(),
  twin: { mutation: "upnp-version-2-only", breaks: "path-is" },
});

export default mappedUpnp;

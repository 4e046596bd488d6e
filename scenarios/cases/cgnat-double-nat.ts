/** A home router behind a carrier's NAT: two mappings to open, one after the other. */

import { link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectPath, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

const cgnatDoubleNat: Scenario = scenario({
  name: "cgnat-double-nat",
  asks: "Is a client behind two NATs in a row reached directly?",
  tags: ["ice", "nat"],
  duration: "8s",
  iceTransportPolicy: "all",
  nats: { carrier: "cgnat", "alice-router": { preset: "home", behind: "carrier" } },
  parties: { alice: { nat: "alice-router", link }, bob: { nat: "home", link } },

  expect: [expectConnect(), expectMedia(), expectPath({ path: "direct" }), expectSameCall()],
  twin: { mutation: "acceptor-never-punches", breaks: "path-is" },
});

export default cgnatDoubleNat;

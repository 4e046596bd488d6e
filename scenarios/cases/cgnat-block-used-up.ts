/**
 * A carrier's NAT that gives each subscriber two ports. Every destination needs one: the first goes to the relay, the second to the peer's address in his own home, which
 * leads nowhere, and for the way that would work there is none.
 */

import { link, undisturbedOnRelay } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { scenario } from "../scenario.ts";

const cgnatBlockUsedUp: Scenario = scenario({
  name: "cgnat-block-used-up",
  asks: "Does a call stay on the relay, undisturbed, when the carrier has no port left for the direct path?",
  tags: ["ice", "nat"],
  duration: "8s",
  iceTransportPolicy: "all",
  nats: { carrier: { preset: "cgnat-block", mapping: "address-and-port-dependent", portBlock: { size: 2 } } },
  parties: { alice: { nat: "carrier", link }, bob: { nat: "full-cone", link } },

  expect: undisturbedOnRelay(),
  twin: { mutation: "relay-path-waits-for-race", breaks: "media-flows" },
});

export default cgnatBlockUsedUp;

/** The same carrier's NAT without hairpinning: both outside addresses lead nowhere from inside. */

import { carrier } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConcealment, expectConnect, expectMedia, expectPath, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

const noHairpinAtCarrier: Scenario = scenario({
  name: "no-hairpin-at-carrier",
  asks: "Does a call between two homes behind one carrier's NAT that does not hairpin stay on the relay, undisturbed?",
  tags: ["ice", "nat"],
  duration: "8s",
  iceTransportPolicy: "all",
  ...carrier("off"),

  expect: [expectConnect(), expectMedia(), expectPath({ path: "relay" }), expectConcealment({ max: 0.01 }), expectSameCall()],
  twin: { mutation: "relay-path-waits-for-race", breaks: "media-flows" },
});

export default noHairpinAtCarrier;

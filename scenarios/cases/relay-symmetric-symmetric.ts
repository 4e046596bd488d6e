/** Behind two symmetric NATs no address learnt from a server serves anybody else: theory says the relay. */

import { link, undisturbedOnRelay } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { scenario } from "../scenario.ts";

const relaySymmetricSymmetric: Scenario = scenario({
  name: "relay-symmetric-symmetric",
  asks: "Does a call behind two symmetric NATs stay on the relay, undisturbed by the race it cannot win?",
  tags: ["ice", "nat"],
  duration: "10s",
  iceTransportPolicy: "all",

  parties: { alice: { nat: "symmetric", link }, bob: { nat: "symmetric", link } },

  expect: undisturbedOnRelay(),
  twin: { mutation: "relay-path-waits-for-race", breaks: "media-flows" },
});

export default relaySymmetricSymmetric;

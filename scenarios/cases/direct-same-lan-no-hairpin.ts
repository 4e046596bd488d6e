/** Two clients behind one NAT that does not hairpin: its outside address leads nowhere from inside, their own addresses do. */

import { link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectPath, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

const directSameLanNoHairpin: Scenario = scenario({
  name: "direct-same-lan-no-hairpin",
  asks: "Do two clients on one network talk over it, though its router does not let them reach each other from outside?",
  tags: ["ice", "nat"],
  duration: "8s",
  iceTransportPolicy: "all",
  nats: { flat: { preset: "home", hairpin: "off" } },
  parties: { alice: { nat: "flat", link }, bob: { nat: "flat", link } },

  expect: [expectConnect(), expectMedia(), expectPath({ path: "direct" }), expectSameCall()],
  twin: { mutation: "no-host-candidates", breaks: "path-is" },
});

export default directSameLanNoHairpin;

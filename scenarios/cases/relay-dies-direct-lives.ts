/** The relay of a direct call dies and comes back four seconds later: only signalling has to notice. */

import { link, unheardOnDirectPath } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { kill } from "../index.ts";
import { scenario } from "../scenario.ts";

const relayDiesDirectLives: Scenario = scenario({
  name: "relay-dies-direct-lives",
  asks: "Is nothing at all heard of a relay that dies under a direct call?",
  tags: ["ice", "nat"],
  duration: "12s",
  iceTransportPolicy: "all",

  parties: { alice: { nat: "home", link }, bob: { nat: "port-restricted", link } },
  faults: [kill("r1", { at: "5s", for: "4s" })],
  expect: unheardOnDirectPath(),
  twin: { mutation: "hang-up-on-silence", breaks: "same-call" },
});

export default relayDiesDirectLives;

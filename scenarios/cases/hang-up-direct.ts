/** Who hangs up a direct call says so on the direct path: the relay is gone and cannot pass it on. */

import { link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectEnd, expectMedia, expectPath, kill } from "../index.ts";
import { scenario } from "../scenario.ts";

const hangUpDirect: Scenario = scenario({
  name: "hang-up-direct",
  asks: "Does the other party of a direct call learn that it is over while the relay is away for good?",
  tags: ["ice", "hang-up"],
  duration: "9s",
  iceTransportPolicy: "all",

  parties: { alice: { nat: "home", link }, bob: { nat: "port-restricted", link } },
  calls: [{ hangUpAt: "6500ms" }],
  faults: [kill("r1", { at: "5s" })],
  expect: [expectConnect(), expectMedia(), expectPath({ path: "direct" }), expectEnd({ reason: "hung-up" })],
  twin: { mutation: "hang-up-by-relay-alone", breaks: "ended-with" },
});

export default hangUpDirect;

/** The phone roams while the relay is away: nobody can be told where it is now, and the direct path has died with its address. */

import { link, phone } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectPath, expectRecovery, expectSameCall, interfaceDown, kill } from "../index.ts";
import { scenario } from "../scenario.ts";

const updateLost: Scenario = scenario({
  name: "update-lost",
  asks: "Does a call find its direct path again when the news of a new address could not be told in time?",
  tags: ["ice", "nat"],
  duration: "16s",
  iceTransportPolicy: "all",

  parties: { alice: phone, bob: { nat: "home", link } },
  faults: [kill("r1", { at: "4500ms", for: "3s" }), interfaceDown("alice", { interface: "wlan0", at: "5s" })],
  expect: [
    expectConnect(),
    expectMedia(),
    // As after any restart of a relay; the update follows the resumption.
    expectRecovery({ within: "600ms", from: "heal", fault: 0 }),
    expectPath({ path: "direct" }),
    expectSameCall(),
  ],
  twin: { mutation: "candidates-of-set-up-only", breaks: "path-is" },
});

export default updateLost;

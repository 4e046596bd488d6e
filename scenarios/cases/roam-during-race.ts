/** The phone roams 20 ms into the race, so every address that is being tried is one it no longer has. */

import { link, phone } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectLongestGap, expectMedia, expectPath, expectSameCall, interfaceDown } from "../index.ts";
import { scenario } from "../scenario.ts";

const roamDuringRace: Scenario = scenario({
  name: "roam-during-race",
  asks: "Does a race that is overtaken by a change of networks end on a direct path all the same?",
  tags: ["ice", "nat"],
  duration: "12s",
  iceTransportPolicy: "all",

  parties: { alice: phone, bob: { nat: "home", link } },
  faults: [
    interfaceDown("alice", {
      interface: "wlan0",
      after: { match: { ev: "candidate-pair", who: "alice", state: "in-progress" }, delay: "20ms" },
    }),
  ],
  expect: [expectConnect(), expectMedia(), expectLongestGap({ max: "300ms" }), expectPath({ path: "direct" }), expectSameCall()],
  twin: { mutation: "candidates-of-set-up-only", breaks: "path-is" },
});

export default roamDuringRace;

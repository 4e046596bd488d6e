/** A phone has told its peer of two changes of network when the relay restarts; the third one is told by a new registration. */

import { directAgain, link, phone } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { interfaceDown, kill } from "../index.ts";
import { scenario } from "../scenario.ts";

const roamAfterRestart: Scenario = scenario({
  name: "roam-after-restart",
  asks: "Does a phone that registered anew in the middle of its call number its candidate updates on from the last one?",
  tags: ["ice", "nat", "relay"],
  duration: "12s",
  iceTransportPolicy: "all",
  parties: { alice: phone, bob: { nat: "home", link } },
  faults: [
    interfaceDown("alice", { interface: "wlan0", at: "3s", for: "1500ms" }),
    kill("r1", { at: "6s", for: "500ms" }),
    interfaceDown("alice", { interface: "wlan0", at: "9s" }),
  ],
  expect: directAgain(),
  twin: { mutation: "generations-begin-anew", breaks: "no-stale-generation" },
});

export default roamAfterRestart;

/** Candidate updates overtake each other: an older one that comes last would send the peer to an address that is gone. */

import { directAgain, link, phone } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { disturbSignalling, interfaceDown } from "../index.ts";
import { scenario } from "../scenario.ts";

const staleUpdate: Scenario = scenario({
  name: "stale-update",
  asks: "Does a direct call survive candidate updates that arrive in the wrong order?",
  tags: ["ice", "nat"],
  duration: "18s",
  iceTransportPolicy: "all",

  parties: { alice: phone, bob: { nat: "home", link } },
  faults: [
    disturbSignalling("alice", {
      direction: "up",
      effect: { duplicate: 1, reorder: 0.5, types: ["CandidateUpdate"] },
      at: "3s",
      for: "12s",
    }),
    interfaceDown("alice", { interface: "wlan0", at: "4s", for: "150ms" }),
    interfaceDown("alice", { interface: "wlan0", at: "6s", for: "150ms" }),
    interfaceDown("alice", { interface: "wlan0", at: "8s", for: "150ms" }),
    interfaceDown("alice", { interface: "wlan0", at: "10s", for: "150ms" }),
    interfaceDown("alice", { interface: "wlan0", at: "12s", for: "150ms" }),
  ],
  expect: directAgain(),
  twin: { mutation: "stale-update-applied", breaks: "generations-fresh" },
});

export default staleUpdate;

/** The phone roams 20 ms into the race, so every address that is being tried is one it no longer has. */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectLongestGap, expectMedia, expectPath, expectSameCall, interfaceDown } from "../index.ts";
import { scenario } from "../scenario.ts";

/** 12.5 ms one way on each client's link: 50 ms round trip between the two, 25 ms to the relay. */
const link = { profile: "broadband", delay: "12500us" };

/** A phone: home WiFi, and a carrier's network that lets in only whom it has written to. The first interface that is up carries everything. */
const phone = { interfaces: { wlan0: { nat: "home", link }, cell0: { nat: "port-restricted", link } } };

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

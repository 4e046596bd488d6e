/** WiFi goes and comes back three seconds later. */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectLongestGap, expectMedia, expectPath, expectSameCall, interfaceDown } from "../index.ts";
import { scenario } from "../scenario.ts";

/** 12.5 ms one way on each client's link: 50 ms round trip between the two, 25 ms to the relay. */
const link = { profile: "broadband", delay: "12500us" };

/** A phone: home WiFi, and a carrier's network that lets in only whom it has written to. The first interface that is up carries everything. */
const phone = { interfaces: { wlan0: { nat: "home", link }, cell0: { nat: "port-restricted", link } } };

const roamBack: Scenario = scenario({
  name: "roam-back",
  asks: "Does a call follow a phone to its carrier's network and back?",
  tags: ["ice", "nat"],
  duration: "12s",
  iceTransportPolicy: "all",

  parties: { alice: phone, bob: { nat: "home", link } },
  faults: [interfaceDown("alice", { interface: "wlan0", at: "5s", for: "3s" })],
  expect: [expectConnect(), expectMedia(), expectLongestGap({ max: "120ms" }), expectPath({ path: "direct" }), expectSameCall()],
  twin: { mutation: "relay-path-goes-cold", breaks: "longest-gap" },
});

export default roamBack;

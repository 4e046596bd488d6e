/** Both phones lose their WiFi at the same instant: each tells the other its new address by the relay, to which both have to move first. */

import { phone } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectLongestGap, expectMedia, expectPath, expectSameCall, interfaceDown } from "../index.ts";
import { scenario } from "../scenario.ts";

const roamBothAtOnce: Scenario = scenario({
  name: "roam-both-at-once",
  asks: "Do two phones that roam at the same instant find each other again?",
  tags: ["ice", "nat"],
  duration: "12s",
  iceTransportPolicy: "all",

  parties: { alice: phone, bob: phone },
  faults: [interfaceDown("alice", { interface: "wlan0", at: "5s" }), interfaceDown("bob", { interface: "wlan0", at: "5s" })],
  expect: [expectConnect(), expectMedia(), expectLongestGap({ max: "300ms" }), expectPath({ path: "direct" }), expectSameCall()],
  twin: { mutation: "update-not-sent", breaks: "path-is" },
});

export default roamBothAtOnce;

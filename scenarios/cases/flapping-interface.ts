/** A loose cable, or a laptop at the edge of its access point: the only interface goes and comes, ten changes in twenty seconds. */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectRecovery, expectSameCall, flap } from "../index.ts";
import { scenario } from "../scenario.ts";

const flappingInterface: Scenario = scenario({
  name: "flapping-interface",
  asks: "Is it the same call, heard again within half a second each time, when a client's only interface goes and comes back five times?",
  tags: ["roam", "recovery"],
  duration: "30s",
  parties: { alice: { interfaces: { wlan0: { link: "broadband", nat: "home" } } }, bob: { nat: "home" } },
  faults: flap("alice", { at: "5s", changes: 10, over: "20s" }),
  expect: [expectConnect(), expectMedia(), expectRecovery({ within: "500ms", from: "heal" }), expectSameCall()],
  twin: { mutation: "hang-up-on-silence", breaks: "same-call" },
});

export default flappingInterface;

/** One party of a call moves to a relay that is not linked to the other's; the other stays. */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectEnd, expectMedia, expectNoInterruption, expectObedience, register } from "../index.ts";
import { scenario } from "../scenario.ts";

/** 50 ms round trip to the relay. */
const access = { link: { profile: "broadband", delay: "25ms" } };

const relaySwitchAlone: Scenario = scenario({
  name: "relay-switch-alone",
  asks: "Does a call whose other party does not follow go on for a minute, and then end for both with the reason?",
  tags: ["relay", "switch", "long"],
  duration: "70s",
  parties: { alice: access, bob: access, r1: { role: "relay" }, r2: { role: "relay" } },
  actions: [register("alice", "r2", { at: "5s" })],
  expect: [
    expectConnect(),
    // Sixty seconds by the relay of before, then the new one gives up waiting for bob: 3,170 frames. One that is late ends the row, as two of them may on a busy machine.
    expectMedia({ frames: 1_000 }),
    expectNoInterruption(),
    expectObedience({ within: "200ms" }),
    expectEnd({ reason: "peer-lost" }),
  ],
  twin: { mutation: "switch-breaks-first", breaks: "media-flows" },
});

export default relaySwitchAlone;

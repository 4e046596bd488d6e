/** The relay of five hundred clients restarts while two of them talk. */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectCrowd, expectMedia, expectRecovery, expectSameCall, kill } from "../index.ts";
import { scenario } from "../scenario.ts";

/** 50 ms round trip to the relay. */
const access = { link: { profile: "broadband", delay: "25ms" } };

const stampede: Scenario = scenario({
  name: "stampede",
  asks: "Does a relay that comes back to five hundred clients take them in turn, a call before all others?",
  tags: ["relay", "crowd"],
  labs: ["sim"],
  duration: "30s",
  parties: { alice: access, bob: access, r1: { role: "relay" } },
  // All at once, so that their keep-alives and their attempts are in step: the worst case.
  crowd: { clients: 500, link: { profile: "broadband", delay: "25ms" }, over: "20ms" },
  faults: [kill("r1", { at: "8s", for: "8s" })],
  expect: [
    expectConnect(),
    expectMedia(),
    expectRecovery({ within: "400ms", from: "heal" }),
    // Everybody's attempt under way is heard when QUIC says it again (RFC 9002 section 6.2), and 450 clients in turn at 250 a second take 1.8 s.
    expectCrowd({ within: "8s", peak: 76 }),
    expectSameCall(),
  ],
  twin: { mutation: "admission-without-rate", breaks: "crowd-returns" },
});

export default stampede;

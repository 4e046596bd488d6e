/** A relay restarts that both parties reach over a satellite: for more than a second there is nothing to send voice on. */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectRecovery, expectSameCall, expectTier, kill } from "../index.ts";
import { scenario } from "../scenario.ts";

/** 300 ms each way: a geostationary orbit and back is 240 ms (ITU-T G.114 appendix I), the rest is ground. */
const satellite = { link: { profile: "broadband", delay: "300ms" } };

const satelliteRestart: Scenario = scenario({
  name: "satellite-restart",
  asks: "Does a call over satellites sound as good as before once its relay is back, or is the outage taken for a queue?",
  tags: ["relay", "recovery", "tiers"],
  duration: "16s",
  tier: "adaptive",
  parties: { alice: satellite, bob: satellite, r1: { role: "relay" } },
  faults: [kill("r1", { at: "8s", for: "1s" })],
  expect: [
    expectConnect({ within: "4s" }),
    expectMedia(),
    expectSameCall(),
    // Stateless reset, handshake, registration and resumption take a round trip of 600 ms each or half of one; voice takes one.
    expectRecovery({ within: "3s" }),
    expectTier({ tier: "good" }),
  ],
  twin: { mutation: "media-clock-stops-in-outage", breaks: "speaks-in" },
});

export default satelliteRestart;

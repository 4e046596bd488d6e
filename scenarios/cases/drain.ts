/** A relay is to be stopped under a call: it says so, its clients go to another one, and it exits when they have left. */
import type { Scenario } from "../expanded.ts";
import { drain, expectConnect, expectMedia, expectNoInterruption, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

/** 50 ms round trip to the relay. */
const access = { link: { profile: "broadband", delay: "25ms" } };

const drainCase: Scenario = scenario({
  name: "drain",
  asks: "Does nobody hear that the relay of a call is stopped, when it is asked to drain?",
  tags: ["relay", "switch", "drain"],
  duration: "14s",
  parties: { alice: access, bob: access, r1: { role: "relay" }, r2: { role: "relay" } },
  // Departures are spread over the first three seconds; whoever has not left by the sixth is cut off.
  faults: [drain("r1", { at: "4s", within: "6s" })],
  expect: [expectConnect(), expectMedia(), expectNoInterruption(), expectSameCall()],
  twin: { mutation: "draining-relay-not-left", breaks: "no-interruption" },
});

export default drainCase;

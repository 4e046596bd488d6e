/** The relay comes back, and one party of the call seven seconds after it. */
import type { Scenario } from "../expanded.ts";
import { blackout, expectConnect, expectMedia, expectRecovery, expectSameCall, kill } from "../index.ts";
import { scenario } from "../scenario.ts";

/** 50 ms round trip to the relay. */
const access = { link: { profile: "broadband", delay: "25ms" } };

const resumeOneSideLate: Scenario = scenario({
  name: "resume-one-side-late",
  asks: "Does a call wait for the party that comes back later, and is it audible at once then?",
  tags: ["relay", "recovery"],
  duration: "20s",
  parties: { alice: access, bob: access, r1: { role: "relay" } },
  faults: [kill("r1", { at: "5s", for: "2s" }), blackout("bob", { at: "4900ms", for: "9s" })],
  expect: [expectConnect(), expectMedia(), expectRecovery({ within: "400ms", from: "heal", fault: 1 }), expectSameCall()],
  twin: { mutation: "resume-of-unknown-call-refused", breaks: "same-call" },
});

export default resumeOneSideLate;

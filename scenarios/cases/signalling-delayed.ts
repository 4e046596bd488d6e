/** The relay restarts, and what one party says to it and hears from it is four and a half seconds late; the other hears everything twice and out of order. */
import type { Scenario } from "../expanded.ts";
import { disturbSignalling, expectConnect, expectMedia, expectRecovery, expectSameCall, kill } from "../index.ts";
import { scenario } from "../scenario.ts";

/** 50 ms round trip to the relay. */
const access = { link: { profile: "broadband", delay: "25ms" } };

const signallingDelayed: Scenario = scenario({
  name: "signalling-delayed",
  asks: "Does a call survive a restart when signalling is delayed by 4.5 seconds, duplicated and reordered?",
  tags: ["relay", "signalling"],
  duration: "30s",
  parties: { alice: access, bob: access, r1: { role: "relay" } },
  faults: [
    // A relay waits five seconds for a registration: at just as many it would be luck whether hers comes in time.
    disturbSignalling("alice", { effect: { delay: "4.5s" }, at: "4s", for: "20s" }),
    disturbSignalling("bob", { effect: { duplicate: 1, reorder: 0.5 }, at: "4s", for: "20s" }),
    kill("r1", { at: "5s", for: "2s" }),
  ],
  expect: [
    expectConnect(),
    expectMedia(),
    // Her registration and the resumption of the call arrive after 4.5 seconds; her own media go out when both have.
    expectRecovery({ within: "6s", from: "heal", fault: 2 }),
    expectSameCall(),
  ],
  twin: { mutation: "resume-answered-late-ends-call", breaks: "same-call" },
});

export default signallingDelayed;

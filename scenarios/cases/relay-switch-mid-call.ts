/** Both parties of a call move to another relay, a second apart, and back. */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectNoInterruption, expectObedience, expectSameCall, register } from "../index.ts";
import { scenario } from "../scenario.ts";

/** 50 ms round trip to the relay. */
const access = { link: { profile: "broadband", delay: "25ms" } };

const relaySwitchMidCall: Scenario = scenario({
  name: "relay-switch-mid-call",
  asks: "Is a change of relay under a call heard by nobody?",
  tags: ["relay", "switch", "quick"],
  duration: "14s",
  parties: { alice: access, bob: access, r1: { role: "relay" }, r2: { role: "relay" } },
  actions: [
    register("alice", "r2", { at: "5s" }),
    register("bob", "r2", { at: "6s" }),
    register("bob", "r1", { at: "8s" }),
    register("alice", "r1", { at: "9s" }),
  ],
  expect: [
    expectConnect(),
    expectMedia(),
    expectObedience({ within: "200ms" }),
    // The old session carries the call until both are at the new relay: nothing is lost but the order of a few packets.
    expectNoInterruption(),
    expectSameCall(),
  ],
  twin: { mutation: "switch-breaks-first", breaks: "no-interruption" },
});

export default relaySwitchMidCall;

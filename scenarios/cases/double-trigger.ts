/** The relay drops a call twice in a row while an impatient user registers by hand again and again. */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectObedience, expectRecovery, expectSameCall, kill, register } from "../index.ts";
import { scenario } from "../scenario.ts";

/** 50 ms round trip to the relay. */
const access = { link: { profile: "broadband", delay: "25ms" } };

const doubleTrigger: Scenario = scenario({
  name: "double-trigger",
  asks: "Is there one supervisor, whatever triggers coincide?",
  tags: ["relay", "supervisor"],
  duration: "16s",
  parties: { alice: access, bob: access, r1: { role: "relay" } },
  actions: ["5500ms", "6300ms", "7020ms", "7120ms", "7500ms", "8300ms"].map((at) => register("alice", "r1", { at })),
  faults: [
    kill("r1", { at: "5s", for: "2s" }),
    // Again in the middle of the registration that follows.
    kill("r1", { at: "7150ms", for: "2s" }),
  ],
  expect: [
    expectConnect(),
    expectMedia(),
    expectRecovery({ within: "400ms", from: "heal", fault: 1 }),
    expectObedience({ within: "400ms" }),
    expectSameCall(),
  ],
  twin: { mutation: "attempts-side-by-side", breaks: "one-supervisor" },
});

export default doubleTrigger;

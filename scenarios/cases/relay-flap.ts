/** The relay is restarted ten times in a minute, as by a supervisor that gives up late. */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectRecovery, expectSameCall, expectSignalling, kill } from "../index.ts";
import { scenario } from "../scenario.ts";

/** 50 ms round trip to the relay. */
const access = { link: { profile: "broadband", delay: "25ms" } };

const relayFlap: Scenario = scenario({
  name: "relay-flap",
  asks: "Is it one call, audible after each time, when its relay restarts ten times in a minute?",
  tags: ["relay", "recovery", "long"],
  duration: "68s",
  parties: { alice: access, bob: access, r1: { role: "relay" } },
  faults: Array.from({ length: 10 }, (_, i) => kill("r1", { at: `${5 + 6 * i}s`, for: i % 2 === 0 ? "1500ms" : "3s" })),
  expect: [
    expectConnect(),
    expectMedia(),
    // The tenth as the first: no wait grows from one outage to the next.
    expectRecovery({ within: "400ms", from: "heal" }),
    expectSignalling({ within: "400ms" }),
    expectSameCall(),
  ],
  twin: { mutation: "sign-of-life-ignored", breaks: "media-recovers" },
});

export default relayFlap;

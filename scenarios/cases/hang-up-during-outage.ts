/** One party hangs up while nobody can be told. */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectEnd, expectMedia, expectSettling, kill } from "../index.ts";
import { scenario } from "../scenario.ts";

/** 50 ms round trip to the relay. */
const access = { link: { profile: "broadband", delay: "25ms" } };

const hangUpDuringOutage: Scenario = scenario({
  name: "hang-up-during-outage",
  asks: "Does the other party learn at once, when the relay is back, that the call was hung up meanwhile?",
  tags: ["relay", "hang-up"],
  duration: "14s",
  parties: { alice: access, bob: access, r1: { role: "relay" } },
  calls: [{ hangUpAt: "6500ms" }],
  faults: [kill("r1", { at: "5s", for: "3s" })],
  expect: [
    expectConnect(),
    expectMedia(),
    expectEnd({ reason: "hung-up" }),
    // Without a call alice no longer asks for the relay: her next attempt is the backoff's.
    expectSettling({ within: "3s" }),
  ],
  twin: { mutation: "hang-up-not-forwarded", breaks: "ended-with" },
});

export default hangUpDuringOutage;

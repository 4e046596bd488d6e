/** The relay is away for so long that every wait of the backoff has been reached, and then comes back. */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectRecovery, expectSameCall, expectSignalling, kill } from "../index.ts";
import { scenario } from "../scenario.ts";

/** 50 ms round trip to the relay. */
const access = { link: { profile: "broadband", delay: "25ms" } };

const relayLongAway: Scenario = scenario({
  name: "relay-restart-40s",
  asks: "Does a call outlive forty seconds without its relay, and is it audible at once afterwards?",
  tags: ["relay", "recovery", "long"],
  duration: "55s",
  parties: { alice: access, bob: access, r1: { role: "relay" } },
  faults: [kill("r1", { at: "5s", for: "40s" })],
  expect: [
    expectConnect(),
    expectMedia(),
    // However long it was away: the probe and not the backoff finds out. 300 ms and two round trips.
    expectRecovery({ within: "400ms", from: "heal" }),
    expectSignalling({ within: "400ms" }),
    expectSameCall(),
  ],
  twin: { mutation: "short-patience-with-relay", breaks: "same-call" },
});

export default relayLongAway;

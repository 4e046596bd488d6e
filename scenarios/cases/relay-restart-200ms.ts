/** The relay dies and is back before anybody could notice by silence. */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectRecovery, expectSameCall, expectSignalling, kill } from "../index.ts";
import { scenario } from "../scenario.ts";

/** 50 ms round trip to the relay. */
const access = { link: { profile: "broadband", delay: "25ms" } };

const relayBlink: Scenario = scenario({
  name: "relay-restart-200ms",
  asks: "Is it the same call, audible at once, when its relay loses its memory in a fifth of a second?",
  tags: ["relay", "recovery"],
  duration: "12s",
  parties: { alice: access, bob: access, r1: { role: "relay" } },
  faults: [kill("r1", { at: "5s", for: "200ms" })],
  expect: [
    expectConnect(),
    expectMedia(),
    // The next media packet is answered with a stateless reset, so nobody waits for a probe: 300 ms and two round trips.
    expectRecovery({ within: "400ms", from: "heal" }),
    expectSignalling({ within: "400ms" }),
    expectSameCall(),
  ],
  twin: { mutation: "reset-ends-call", breaks: "same-call" },
});

export default relayBlink;

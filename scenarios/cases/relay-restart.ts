/** The main case: the relay process dies under a call and comes back three seconds later with no memory. */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectRecovery, expectSameCall, expectSignalling, kill } from "../index.ts";
import { scenario } from "../scenario.ts";

/** 25 ms one way on the client's link and none on the relay's: 50 ms round trip to the relay. */
const access = { link: { profile: "broadband", delay: "25ms" } };

const relayRestart: Scenario = scenario({
  name: "relay-restart",
  asks: "Is it the same call, audible within half a second, when its relay dies and comes back three seconds later?",
  tags: ["relay", "recovery", "quick"],
  duration: "15s",
  parties: { alice: access, bob: access, r1: { role: "relay" } },
  faults: [kill("r1", { at: "5s", for: "3s" })],
  expect: [
    expectConnect(),
    expectMedia(),
    // Up to 100 ms until a client hears of the relay's return, then handshake and registration at 50 ms each, and the jitter
    // buffer: about 300 ms. The other direction waits for the later of the two parties.
    expectRecovery({ within: "500ms", from: "heal" }),
    expectSignalling({ within: "500ms" }),
    expectSameCall(),
  ],
  twin: { mutation: "call-forgotten-on-reconnect", breaks: "media-recovers" },
});

export default relayRestart;

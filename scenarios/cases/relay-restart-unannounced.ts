/** The restarted relay has lost the key of its stateless resets too: nothing tells its clients that their sessions are dead. */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectRecovery, expectSameCall, expectSignalling, kill } from "../index.ts";
import { scenario } from "../scenario.ts";

/** 50 ms round trip to the relay. */
const access = { link: { profile: "broadband", delay: "25ms" } };

const relayUnannounced: Scenario = scenario({
  name: "relay-restart-unannounced",
  asks: "Is the return of a relay noticed at once when no stateless reset tells of it?",
  tags: ["relay", "recovery"],
  duration: "15s",
  parties: { alice: access, bob: access, r1: { role: "relay", losesResetKey: true } },
  faults: [kill("r1", { at: "5s", for: "3s" })],
  expect: [
    expectConnect(),
    expectMedia(),
    // By the STUN probe alone: up to 110 ms and a round trip more than the reset takes.
    expectRecovery({ within: "400ms", from: "heal" }),
    expectSignalling({ within: "400ms" }),
    expectSameCall(),
  ],
  twin: { mutation: "relay-never-probed", breaks: "media-recovers" },
});

export default relayUnannounced;

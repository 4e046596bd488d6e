/** The relay of one side dies under a call between two relays and comes back two seconds later with no memory: of its user, of the call, or of the other relay. */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectRecovery, expectSameCall, kill } from "../index.ts";
import { scenario } from "../scenario.ts";

const access = { link: { profile: "broadband", delay: "25ms" } } as const;

const federationRelayRestart: Scenario = scenario({
  name: "federation-relay-restart",
  asks: "Is it the same call, heard by both, when the relay of one of them dies and comes back two seconds later?",
  tags: ["federation", "relay", "recovery"],
  duration: "12s",
  iceTransportPolicy: "relay",
  parties: {
    alice: { ...access, relay: "r1" },
    bob: { ...access, relay: "r2" },
    r1: { role: "relay", federatesWith: ["r2"] },
    r2: { role: "relay" },
  },
  faults: [kill("r2", { at: "5s", for: "2s" })],
  // Its user is back within 300 ms (relay-restart); the relays have found each other by then, or a quarter of a second later, when the next question was due.
  expect: [expectConnect(), expectMedia(), expectRecovery({ within: "700ms", from: "heal" }), expectSameCall()],
  twin: { mutation: "federated-users-told-as-they-come", breaks: "media-recovers" },
});

export default federationRelayRestart;

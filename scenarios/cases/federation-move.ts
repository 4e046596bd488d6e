/** Both parties of a call between two linked relays move to the other's relay, one after the other: together on one for two seconds, then apart again. */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectNoInterruption, expectObedience, expectSameCall, register } from "../index.ts";
import { scenario } from "../scenario.ts";

const access = { link: { profile: "broadband", delay: "25ms" } } as const;

const federationMove: Scenario = scenario({
  name: "federation-move",
  asks: "Does a call go on, heard without a gap, while its parties move between relays that are linked?",
  tags: ["federation", "relay", "switch", "long"],
  // A minute and more after the last move: a relay that believes a party is lost ends the call no sooner.
  duration: "72s",
  iceTransportPolicy: "relay",
  parties: {
    alice: { ...access, relay: "r1" },
    bob: { ...access, relay: "r2" },
    r1: { role: "relay", federatesWith: ["r2"] },
    r2: { role: "relay" },
  },
  actions: [register("alice", "r2", { at: "5s" }), register("bob", "r1", { at: "7s" })],
  expect: [expectConnect(), expectMedia(), expectObedience({ within: "200ms" }), expectNoInterruption(), expectSameCall()],
  twin: { mutation: "federated-move-not-believed", breaks: "no-interruption" },
});

export default federationMove;

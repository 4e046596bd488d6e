/** Two relays cannot reach each other and have nothing to say to each other: the one that is dialled has to find out by asking. Then a user calls the other's. */
import type { Scenario } from "../expanded.ts";
import { expectEnd, expectNoAnswer, partition } from "../index.ts";
import { scenario } from "../scenario.ts";

const access = { link: { profile: "broadband", delay: "25ms" } } as const;

const federationVoid: Scenario = scenario({
  name: "federation-void",
  asks: "Is a caller told within ten seconds that nobody can be reached, when the other relay has fallen silent before the call?",
  tags: ["federation", "relay", "call"],
  duration: "22s",
  iceTransportPolicy: "relay",
  parties: {
    alice: { ...access, relay: "r1" },
    bob: { ...access, relay: "r2" },
    r1: { role: "relay", federatesWith: ["r2"] },
    r2: { role: "relay" },
  },
  // It asks for 8 s whether the other party registers just now, and gives up then.
  calls: [{ at: "8s", caller: "bob", callee: "alice" }],
  faults: [partition("r1", "r2", { at: "3s" })],
  expect: [expectNoAnswer(), expectEnd({ party: "bob", reason: "unknown-peer" })],
  twin: { mutation: "silent-relay-believed", breaks: "ended-with" },
});

export default federationVoid;

/** A second process registers with the identity of a client that is in a call. */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectDisplacement, expectEnd, expectMedia, expectObedience, register } from "../index.ts";
import { scenario } from "../scenario.ts";

const sameIdentityTwice: Scenario = scenario({
  name: "same-identity-twice",
  asks: "Does one of two clients with one identity give way, instead of both fighting for the registration?",
  tags: ["relay", "identity", "long"],
  duration: "75s",
  parties: { alice: {}, bob: {}, phone: { identityOf: "bob", startsIdle: true }, r1: { role: "relay" } },
  calls: [{ caller: "alice", callee: "bob" }],
  actions: [register("phone", "r1", { at: "5s" })],
  expect: [
    expectConnect(),
    expectMedia(),
    expectDisplacement({ party: "bob" }),
    expectObedience(),
    expectEnd({ party: "bob", reason: "another client uses this identity" }),
    // Bob's last session is closed before he can say so: the relay gives his side of the call up after a minute.
    expectEnd({ party: "alice", reason: "peer-lost" }),
  ],
  twin: { mutation: "displaced-client-fights", breaks: "displaced" },
});

export default sameIdentityTwice;

/** Two users of two relays. The session that links the relays is one like any other. */
import type { Scenario } from "../expanded.ts";
import { expectConcealment, expectConnect, expectMedia, expectPath, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

const federationBaseline: Scenario = scenario({
  name: "federation-baseline",
  asks: "Does a call between users of two relays connect and sound like one over a single relay?",
  tags: ["federation", "relay", "call"],
  duration: "12s",
  iceTransportPolicy: "relay",
  parties: {
    alice: { link: "broadband", nat: "home", relay: "r1" },
    bob: { link: "broadband", nat: "home", relay: "r2" },
    r1: { role: "relay", federatesWith: ["r2"] },
    r2: { role: "relay" },
  },
  calls: [{ at: "1s", answerAfter: "200ms" }],
  expect: [expectConnect(), expectMedia(), expectConcealment({ max: 0.01 }), expectPath({ path: "relay" }), expectSameCall()],
  twin: { mutation: "federated-answer-not-forwarded", breaks: "call-connects" },
});

export default federationBaseline;

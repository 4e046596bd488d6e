/** Two users of two relays. The session that links the relays is one like any other. */
import type { Scenario } from "../expanded.ts";
import { expectConcealment, expectPath } from "../index.ts";
import { linkedRelays } from "../linked-relays.ts";

const federationBaseline: Scenario = linkedRelays({
  name: "federation-baseline",
  asks: "Does a call between users of two relays connect and sound like one over a single relay?",
  tags: ["call"],
  duration: "12s",
  calls: [{ at: "1s", answerAfter: "200ms" }],
  expect: [expectConcealment({ max: 0.01 }), expectPath({ path: "relay" })],
  twin: { mutation: "federated-answer-not-forwarded", breaks: "call-connects" },
});

export default federationBaseline;

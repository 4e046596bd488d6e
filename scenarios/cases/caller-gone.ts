/** The process of a caller dies while the callee's phone rings, and does not come back. */
import type { Scenario } from "../expanded.ts";
import { expectEnd, expectNoAnswer, kill } from "../index.ts";
import { scenario } from "../scenario.ts";

const callerGone: Scenario = scenario({
  name: "caller-gone",
  asks: "Does a phone stop ringing, with the reason, when nobody is there any more to call it?",
  tags: ["relay", "call", "long"],
  duration: "45s",
  calls: [{ caller: "alice", callee: "bob", answer: "none" }],
  faults: [kill("alice", { at: "3s" })],
  expect: [
    expectNoAnswer(),
    // Her session is given up after 30 s without a sign of life (RFC 9000 section 10.1), well before bob's own minute.
    expectEnd({ party: "bob", reason: "peer-lost" }),
  ],
  twin: { mutation: "offers-outlive-caller", breaks: "ended-with" },
});

export default callerGone;

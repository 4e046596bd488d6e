/** The callee's phone dies while it rings and is started again. */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, kill } from "../index.ts";
import { scenario } from "../scenario.ts";

const calleeRestartsRinging: Scenario = scenario({
  name: "callee-restarts-ringing",
  asks: "Does a phone that was started anew while it rang ring again, and does its call come up?",
  tags: ["call", "recovery"],
  duration: "12s",
  calls: [{ answerAfter: "1s" }],
  faults: [kill("bob", { after: { match: { ev: "call", who: "bob", state: "ringing" }, delay: "500ms" }, for: "2s" })],
  // Half a second rung, two seconds away, a second to the next offer, and a second until it is answered: 3.5 s after it was to be answered.
  expect: [expectConnect({ within: "5s" }), expectMedia()],
  twin: { mutation: "offer-passed-on-once", breaks: "call-connects" },
});

export default calleeRestartsRinging;

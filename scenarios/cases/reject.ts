/** The callee refuses the call. */
import type { Scenario } from "../expanded.ts";
import { expectEnd, expectRejection } from "../index.ts";
import { scenario } from "../scenario.ts";

const reject: Scenario = scenario({
  name: "reject",
  asks: "Does a refused call end for both at once, without a sound?",
  tags: ["call", "quick"],
  duration: "12s",
  calls: [{ answer: "Reject", answerAfter: "1s" }],
  expect: [
    expectRejection(),
    // A caller that missed the refusal would ring on and end with something else.
    expectEnd({ reason: "rejected" }),
  ],
  twin: { mutation: "rejection-ignored", breaks: "ended-with" },
});

export default reject;

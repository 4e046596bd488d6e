/** The callee takes eight seconds to the phone. */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectNoInterruption, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

const lateAnswer: Scenario = scenario({
  name: "late-answer",
  asks: "Does a call that rings for eight seconds connect as quickly after the answer as any other?",
  tags: ["call"],
  duration: "15s",
  calls: [{ answerAfter: "8s" }],
  expect: [
    // From the answer, and so the same as in the baseline: nothing may have gone to sleep while it rang.
    expectConnect({ within: "1s" }),
    expectMedia(),
    expectNoInterruption(),
    expectSameCall(),
  ],
  twin: { mutation: "short-ring-timeout", breaks: "call-connects" },
});

export default lateAnswer;

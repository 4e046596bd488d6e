/** The call that nothing happens to: what every other case is measured against. */
import type { Scenario } from "../expanded.ts";
import {
  expectConcealment,
  expectConnect,
  expectMedia,
  expectMouthToEar,
  expectNoInterruption,
  expectSameCall,
} from "../index.ts";
import { scenario } from "../scenario.ts";

const baseline: Scenario = scenario({
  name: "baseline",
  asks: "Does an undisturbed call between two homes connect at once and sound clean?",
  tags: ["call", "quick"],
  duration: "12s",
  expect: [
    // Four round trips of 20 ms after the answer: reflexive address, answer, set-up, first media.
    expectConnect({ within: "1s" }),
    expectMedia(),
    expectSameCall(),
    // Nothing is lost and jitter is 2 ms, so nothing may be concealed but a frame while the buffer finds its depth.
    expectNoInterruption(),
    expectConcealment({ max: 0.01 }),
    // ITU-T G.114: up to 150 ms one way nobody notices.
    expectMouthToEar({ p95: "150ms" }),
  ],
  twin: { mutation: "one-key-both-ways", breaks: "no-nonce-reuse" },
});

export default baseline;

/** Bursts on what both parties send; one of them sends every frame three times, far apart, and the other once. */
import type { Scenario } from "../expanded.ts";
import { expectConcealment, expectConnect, expectMedia, expectMouthToEar, expectSameCall, impair } from "../index.ts";
import { scenario } from "../scenario.ts";

/** From the start, so that the whole call is judged; 10 % lost, three in a row on average. */
const bursts = { link: { burst: { loss: 0.1, length: 3 } }, direction: "up", at: "1.2s" } as const;

const fecBurst: Scenario = scenario({
  name: "fec-burst",
  asks: "Do copies of each frame 100 and 200 ms later give back what bursts take, where the party without them has gaps?",
  tags: ["loss", "fec"],
  duration: "18s",
  parties: { alice: { fec: { scheme: "red", depth: 2, apart: 5 } }, bob: {} },
  calls: [{ at: "500ms", answerAfter: "200ms" }],
  faults: [impair("alice", bursts), impair("bob", bursts)],
  expect: [
    expectConnect(),
    expectMedia(),
    expectSameCall(),
    // 17 s at 10 %: 7 % without the copies (median of 30 seeds), 0.1 % with them (2.9 % at the most of 80), where a burst outlasts both.
    expectConcealment({ party: "bob", max: 0.04 }),
    expectConcealment({ party: "alice", max: 0.25 }),
    // The delay that it costs: ten frames of 20 ms until the last copy, and what the jitter buffer keeps after long bursts (450 ms at the most of 24 seeds).
    expectMouthToEar({ party: "bob", p95: "500ms" }),
  ],
  twin: { mutation: "copies-unused", breaks: "concealment" },
});

export default fecBurst;

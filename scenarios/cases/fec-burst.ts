/** Bursts on what both parties send; one of them sends with Reed-Solomon repair, interleaved, and the other without. */
import type { Scenario } from "../expanded.ts";
import { expectConcealment, expectConnect, expectMedia, expectMouthToEar, expectSameCall, impair } from "../index.ts";
import { scenario } from "../scenario.ts";

/** From the start, so that the whole call is judged; 10 % lost, three in a row on average. */
const bursts = { link: { burst: { loss: 0.1, length: 3 } }, direction: "up", at: "1.2s" } as const;

const fecBurst: Scenario = scenario({
  name: "fec-burst",
  asks: "Does repair spread over three blocks give back what bursts take, where the party without it has gaps?",
  tags: ["loss", "fec"],
  duration: "18s",
  parties: { alice: { fec: { scheme: "rs", source: 4, repair: 4, interleave: 3 } }, bob: {} },
  calls: [{ at: "500ms", answerAfter: "200ms" }],
  faults: [impair("alice", bursts), impair("bob", bursts)],
  expect: [
    expectConnect(),
    expectMedia(),
    expectSameCall(),
    // 17 s at 10 %: 6 % without repair (3 % at the least over 60 seeds), 0.2 % with it (2.4 % at the most over 150), where a burst outlasts a block.
    expectConcealment({ party: "bob", max: 0.03 }),
    expectConcealment({ party: "alice", max: 0.25 }),
    // The delay that it costs: nine frames of 20 ms between the first and the last packet of a block.
    expectMouthToEar({ party: "bob", p95: "400ms" }),
  ],
  twin: { mutation: "repair-unused", breaks: "concealment" },
});

export default fecBurst;

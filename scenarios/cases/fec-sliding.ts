/** One packet in five of what both parties send is lost; one of them sends repair of the last ten packets aboard every packet. */
import type { Scenario } from "../expanded.ts";
import { expectConcealment, expectConnect, expectMedia, expectMouthToEar, expectSameCall, impair } from "../index.ts";
import { scenario } from "../scenario.ts";

const losses = { link: { loss: 0.2 }, direction: "up", at: "1.2s" } as const;

const fecSliding: Scenario = scenario({
  name: "fec-sliding",
  asks: "Does repair of the last 200 ms aboard every packet give back one packet in five, where the party without it has gaps?",
  tags: ["loss", "fec"],
  duration: "18s",
  parties: { alice: { fec: { scheme: "rlc", window: 10, percent: 88 } }, bob: {} },
  calls: [{ at: "500ms", answerAfter: "200ms" }],
  faults: [impair("alice", losses), impair("bob", losses)],
  expect: [
    expectConnect(),
    expectMedia(),
    expectSameCall(),
    // 0 to 2 % with the sums (38 seeds), 5 to 10 % without: what the codec's own redundancy leaves.
    expectConcealment({ party: "bob", max: 0.035 }),
    expectConcealment({ party: "alice", max: 0.25 }),
    // The delay that it costs: ten frames of 20 ms until the last packet that says anything of a frame.
    expectMouthToEar({ party: "bob", p95: "450ms" }),
  ],
  twin: { mutation: "sliding-sums-unused", breaks: "concealment" },
});

export default fecSliding;

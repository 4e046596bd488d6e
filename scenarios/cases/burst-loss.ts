/** One packet in ten is lost, three in a row on average: Gilbert-Elliott loss in both directions of one party's link. */
import type { Scenario } from "../expanded.ts";
import {
  expectConcealment,
  expectConnect,
  expectLongestGap,
  expectMedia,
  expectRecovery,
  expectSameCall,
  impair,
} from "../index.ts";
import { scenario } from "../scenario.ts";

const burstLoss: Scenario = scenario({
  name: "burst-loss",
  asks: "Is a call still a conversation while bursts take a tenth of all packets?",
  tags: ["loss"],
  duration: "16s",
  faults: [impair("alice", { link: { burst: { loss: 0.1, length: 3 } }, at: "4s", for: "8s" })],
  expect: [
    expectConnect(),
    expectMedia(),
    expectSameCall(),
    // 8 of 14 s of call at 10 %: 6 % on average with a standard deviation of 2 %; nothing is recovered in a burst's middle.
    expectConcealment({ max: 0.2 }),
    // The model counts packets, not time: after some 17 losses in a row congestion control leaves only probes to end the
    // burst, and it lasts longer. 30 in a row happen once in five thousand runs and take about a second.
    expectLongestGap({ max: "2s" }),
    expectRecovery({ within: "500ms", from: "heal" }),
  ],
  twin: { mutation: "waits-for-lost-packet", breaks: "longest-gap" },
});

export default burstLoss;

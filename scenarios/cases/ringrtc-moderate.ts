/** RingRTC's call simulator, profile Moderate, on what both parties send. */
import type { Scenario } from "../expanded.ts";
import {
  expectConcealment,
  expectConnect,
  expectLongestGap,
  expectMedia,
  expectMouthToEar,
  expectSameCall,
  impair,
} from "../index.ts";
import { scenario } from "../scenario.ts";

/** From 2 s on, as there, so that the call is set up on a clean network. */
const emulated = { link: { profile: "ringrtc-moderate" }, direction: "up", at: "2s" } as const;

const ringrtcModerate: Scenario = scenario({
  name: "ringrtc-moderate",
  asks: "Is a call over RingRTC's Moderate network (100 ms ± 25, 5 % loss) still a good one?",
  tags: ["profile", "ringrtc"],
  duration: "18s",
  parties: { alice: "clean", bob: "clean" },
  calls: [{ at: "500ms", answerAfter: "200ms" }],
  faults: [impair("alice", emulated), impair("bob", emulated)],
  expect: [
    expectConnect(),
    expectMedia(),
    expectSameCall(),
    // 5 % lost at random, most of it recovered by in-band FEC; the rest is room for jitter beyond the buffer.
    expectConcealment({ max: 0.15 }),
    // Twenty packets in a row at 5 %: never.
    expectLongestGap({ max: "400ms" }),
    // ITU-T G.114: 400 ms one way is the most that network planning allows. 125 ms are the network's.
    expectMouthToEar({ p95: "400ms" }),
  ],
  twin: { mutation: "waits-for-lost-packet", breaks: "longest-gap" },
});

export default ringrtcModerate;

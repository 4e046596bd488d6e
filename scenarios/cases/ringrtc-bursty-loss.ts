/** RingRTC's call simulator, bursty loss of 10 %, on what both parties send. */
import type { Scenario } from "../expanded.ts";
import { expectConcealment, expectConnect, expectMedia, expectSameCall, impair } from "../index.ts";
import { scenario } from "../scenario.ts";

/** From 2 s on, as there, so that the call is set up on a clean network. */
const emulated = { link: { profile: "ringrtc-bursty-loss" }, direction: "up", at: "2s" } as const;

const ringrtcBurstyLoss: Scenario = scenario({
  name: "ringrtc-bursty-loss",
  asks: "Does a call hold when RingRTC's bursty loss takes one packet in ten, four in a row?",
  tags: ["profile", "ringrtc"],
  duration: "18s",
  parties: { alice: "clean", bob: "clean" },
  calls: [{ at: "500ms", answerAfter: "200ms" }],
  faults: [impair("alice", emulated), impair("bob", emulated)],
  expect: [
    expectConnect(),
    expectMedia(),
    expectSameCall(),
    // 11 % lost with a standard deviation of 2.5 % over 16 s, little of it recoverable inside a burst.
    expectConcealment({ max: 0.25 }),
  ],
  twin: { mutation: "next-packet-number-only", breaks: "concealment" },
});

export default ringrtcBurstyLoss;

/** RingRTC's call simulator, profile SpikyLoss, on what both parties send: ten seconds good, ten seconds of 30 % loss, ten good. */
import type { Scenario } from "../expanded.ts";
import { expectConcealment, expectConnect, expectMedia, expectRecovery, expectSameCall, impair } from "../index.ts";
import { scenario } from "../scenario.ts";

const spike = { link: { profile: "ringrtc-spiky-loss" }, direction: "up", at: "10s", for: "10s" } as const;

const ringrtcSpikyLoss: Scenario = scenario({
  name: "ringrtc-spiky-loss",
  asks: "Does a call survive ten seconds in which RingRTC's SpikyLoss takes three packets in ten, and sound right after it?",
  tags: ["profile", "ringrtc"],
  duration: "30s",
  parties: { alice: "ringrtc-spiky-calm", bob: "ringrtc-spiky-calm" },
  calls: [{ at: "1s", answerAfter: "200ms" }],
  faults: [impair("alice", spike), impair("bob", spike)],
  expect: [
    expectConnect(),
    expectMedia(),
    expectSameCall(),
    // 10 of 29 s of call at 31 %: 10.5 % with a standard deviation of 1.6 %, little of it recoverable inside a burst.
    expectConcealment({ max: 0.25 }),
    // The network is good again at once, but a sender in congestion control may have to wait for its next probe.
    expectRecovery({ within: "1s", from: "heal" }),
  ],
  twin: { mutation: "next-packet-number-only", breaks: "media-recovers" },
});

export default ringrtcSpikyLoss;

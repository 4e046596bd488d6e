/** RingRTC's call simulator, profile International, on what both parties send. */
import type { Scenario } from "../expanded.ts";
import { expectConcealment, expectConnect, expectMedia, expectMouthToEar, expectSameCall, impair } from "../index.ts";
import { scenario } from "../scenario.ts";

/** From 2 s on, as there, so that the call is set up on a clean network. */
const emulated = { link: { profile: "ringrtc-international" }, direction: "up", at: "2s" } as const;

const ringrtcInternational: Scenario = scenario({
  name: "ringrtc-international",
  asks: "Does a call hold over RingRTC's International network (250 ms ± 100, bursts, 300 kbit/s)?",
  tags: ["profile", "ringrtc"],
  duration: "18s",
  parties: { alice: "clean", bob: "clean" },
  calls: [{ at: "500ms", answerAfter: "200ms" }],
  faults: [impair("alice", emulated), impair("bob", emulated)],
  expect: [
    expectConnect(),
    expectMedia(),
    expectSameCall(),
    // 11 % lost in bursts that FEC cannot fill, and longer ones when congestion control slows down: bad, and still speech.
    expectConcealment({ max: 0.5 }),
    // 350 ms are the network's; the rest bounds what the jitter buffer may add.
    expectMouthToEar({ p95: "900ms" }),
  ],
  twin: { mutation: "waits-for-lost-packet", breaks: "concealment" },
});

export default ringrtcInternational;

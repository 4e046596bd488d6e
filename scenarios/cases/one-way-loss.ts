/** A third of what one party sends is lost, nothing of what it receives: a saturated uplink. */
import type { Scenario } from "../expanded.ts";
import {
  expectConcealment,
  expectConnect,
  expectMedia,
  expectNoInterruption,
  expectRecovery,
  expectSameCall,
  impair,
} from "../index.ts";
import { scenario } from "../scenario.ts";

const oneWayLoss: Scenario = scenario({
  name: "one-way-loss",
  asks: "Does loss in one direction stay in that direction, and the call up?",
  tags: ["loss"],
  duration: "14s",
  faults: [impair("alice", { link: { loss: 0.3 }, direction: "up", at: "4s", for: "6s" })],
  expect: [
    expectConnect(),
    expectMedia(),
    // Alice loses acknowledgements at most: what she hears is as in the baseline.
    expectNoInterruption({ party: "alice" }),
    expectConcealment({ party: "alice", max: 0.02 }),
    // 6 of 12 s of call at 30 %: 15 % with a standard deviation of 1.3 %, before in-band FEC recovers most of it.
    expectConcealment({ party: "bob", max: 0.22 }),
    expectRecovery({ within: "300ms", from: "heal" }),
    expectSameCall(),
  ],
  twin: { mutation: "next-packet-number-only", breaks: "concealment" },
});

export default oneWayLoss;

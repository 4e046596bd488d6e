/** A phone that has too much to do: its process runs for 60 of every 200 ms, and what came meanwhile waits in its sockets. */
import type { Scenario } from "../expanded.ts";
import {
  expectConcealment,
  expectConnect,
  expectLongestGap,
  expectMedia,
  expectRecovery,
  expectSameCall,
  starve,
} from "../index.ts";
import { scenario } from "../scenario.ts";

const starvedCallee: Scenario = scenario({
  name: "starved-callee",
  asks: "Is a call still a conversation while one party's machine gives it 30 % of a processor, in pieces?",
  tags: ["process", "jitter"],
  duration: "16s",
  faults: [starve("bob", { at: "5s", for: "6s", share: 0.3, every: "200ms" })],
  expect: [
    expectConnect(),
    expectMedia(),
    expectSameCall(),
    // What he says leaves up to 140 ms late, which alice's buffer learns in the first turns: twice 140 ms of 14 s; never learnt it is 6 to 9 %.
    expectConcealment({ max: 0.03, party: "alice" }),
    expectLongestGap({ max: "160ms", party: "alice" }),
    expectRecovery({ within: "300ms", from: "heal" }),
  ],
  twin: { mutation: "lateness-not-learnt", breaks: "concealment" },
});

export default starvedCallee;

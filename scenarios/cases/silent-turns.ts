/** Two talk in turns and send nothing but the level of their room's noise while they listen; one in twenty packets is lost. */
import type { Scenario } from "../expanded.ts";
import { expectConcealment, expectConnect, expectMedia, expectNoInterruption, expectSameCall, impair } from "../index.ts";
import { scenario } from "../scenario.ts";

const silentTurns: Scenario = scenario({
  name: "silent-turns",
  asks: "Is a party that sends nothing while it listens heard as noise and not as a gap, and is no path doubted for it?",
  tags: ["dtx", "loss"],
  duration: "22s",
  dtx: true,
  calls: [{ callerSays: "turns-a", calleeSays: "turns-b" }],
  faults: [
    impair("alice", { link: { loss: 0.05 }, direction: "up", at: "3s", for: "16s" }),
    impair("bob", { link: { loss: 0.05 }, direction: "up", at: "3s", for: "16s" }),
  ],
  expect: [
    expectConnect(),
    expectMedia(),
    expectSameCall(),
    expectConcealment({ max: 0.03 }),
    // Were silence taken for loss, its first comfort packets would come after some 20 ms, and a lost one would be a gap of 180 ms.
    expectNoInterruption(),
  ],
  twin: { mutation: "comfort-noise-is-a-gap", breaks: "concealment" },
});

export default silentTurns;

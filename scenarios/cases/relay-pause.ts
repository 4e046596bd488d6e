/** The relay stands still for two seconds (a paused virtual machine, a swapped-out process) and then gets everything at once. */
import type { Scenario } from "../expanded.ts";
import {
  expectConnect,
  expectLongestGap,
  expectMedia,
  expectRecovery,
  expectSameCall,
  expectSignalling,
  pause,
} from "../index.ts";
import { scenario } from "../scenario.ts";

const relayPause: Scenario = scenario({
  name: "relay-pause",
  asks: "Does a call outlive a relay that freezes for two seconds, and swallow the burst that follows?",
  tags: ["relay", "recovery"],
  duration: "14s",
  faults: [pause("r1", { at: "5s", for: "2s" })],
  expect: [
    expectConnect(),
    expectMedia(),
    // Nothing has to be set up again: one-way delay, a frame, and the jitter buffer finding its place after the burst.
    expectRecovery({ within: "500ms", from: "heal" }),
    // The pause and that recovery.
    expectLongestGap({ max: "2500ms" }),
    expectSignalling({ within: "1s" }),
    expectSameCall(),
  ],
  twin: { mutation: "hang-up-on-silence", breaks: "same-call" },
});

export default relayPause;

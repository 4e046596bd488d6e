/**
 * A NAT rebinds again and again, so that its client announces new candidates again and again, and those announcements are
 * duplicated and reordered on their way.
 */
import type { Scenario } from "../expanded.ts";
import {
  disturbSignalling,
  expectConnect,
  expectFreshGenerations,
  expectMedia,
  expectRecovery,
  expectSameCall,
  rebind,
} from "../index.ts";
import { scenario } from "../scenario.ts";

const staleMessages: Scenario = scenario({
  name: "stale-messages",
  asks: "Is no candidate update applied that is not newer than the last, however they arrive?",
  tags: ["signalling", "nat"],
  duration: "14s",
  parties: { alice: { nat: "home" } },
  faults: [
    disturbSignalling("alice", {
      direction: "up",
      // Every update twice, every other one held back so that the next can overtake it.
      effect: { duplicate: 1, reorder: 0.5, types: ["CandidateUpdate"] },
      at: "3s",
      for: "10s",
    }),
    // In pairs 150 ms apart: closer than a reordered message is held back, farther than the round trip an update takes.
    ...["4s", "4150ms", "6s", "6150ms", "8s", "8150ms", "10s", "10150ms"].map((at) => rebind("alice", { at })),
  ],
  expect: [
    expectConnect(),
    expectMedia(),
    expectFreshGenerations(),
    // Media do not depend on candidates: each rebinding costs what it does in `nat-rebind`, twice in a pair.
    expectRecovery({ within: "500ms", from: "fault" }),
    expectSameCall(),
  ],
  twin: { mutation: "stale-update-applied", breaks: "generations-fresh" },
});

export default staleMessages;

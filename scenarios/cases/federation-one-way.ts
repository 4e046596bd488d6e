/** The relay that dials is not heard by the other one for six seconds, while it goes on hearing: what comes in sounds like life. */
import type { Scenario } from "../expanded.ts";
import { expectRecovery, partition } from "../index.ts";
import { linkedRelays } from "../linked-relays.ts";

const federationOneWay: Scenario = linkedRelays({
  name: "federation-one-way",
  asks: "Is it the same call, heard by both, after one of its relays was not heard by the other for six seconds?",
  tags: ["recovery"],
  duration: "18s",
  faults: [partition("r1", "r2", { at: "5s", for: "6s", direction: "up" })],
  expect: [expectRecovery({ within: "700ms", from: "heal" })],
  twin: { mutation: "lost-link-not-probed", breaks: "media-recovers" },
});

export default federationOneWay;

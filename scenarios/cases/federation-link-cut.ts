/** The way between two linked relays is gone for twelve seconds under a call, in both directions: both let go of the link, and find each other again. */
import type { Scenario } from "../expanded.ts";
import { expectRecovery, partition } from "../index.ts";
import { linkedRelays } from "../linked-relays.ts";

const federationLinkCut: Scenario = linkedRelays({
  name: "federation-link-cut",
  asks: "Is it the same call, heard by both, when its relays cannot reach each other for twelve seconds?",
  tags: ["recovery"],
  duration: "22s",
  // Both have let go of the link after three; attempts of four seconds and waits of one and two between them end after nineteen.
  faults: [partition("r1", "r2", { at: "5s", for: "12s" })],
  // The relays ask each other four times a second whether they are back; a round trip between them takes no time here.
  expect: [expectRecovery({ within: "700ms", from: "heal" })],
  twin: { mutation: "federated-users-told-as-they-come", breaks: "media-recovers" },
});

export default federationLinkCut;

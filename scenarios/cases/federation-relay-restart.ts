/** The relay of one side dies under a call between two relays and comes back two seconds later with no memory: of its user, of the call, or of the other relay. */
import type { Scenario } from "../expanded.ts";
import { expectRecovery, kill } from "../index.ts";
import { linkedRelays } from "../linked-relays.ts";

const federationRelayRestart: Scenario = linkedRelays({
  name: "federation-relay-restart",
  asks: "Is it the same call, heard by both, when the relay of one of them dies and comes back two seconds later?",
  tags: ["recovery"],
  duration: "12s",
  faults: [kill("r2", { at: "5s", for: "2s" })],
  // Its user is back within 300 ms (relay-restart); the relays have found each other by then, or a quarter of a second later, when the next question was due.
  expect: [expectRecovery({ within: "700ms", from: "heal" })],
  twin: { mutation: "federated-users-told-as-they-come", breaks: "media-recovers" },
});

export default federationRelayRestart;

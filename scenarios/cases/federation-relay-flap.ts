/** The relay of one side dies twice within a second and a half. The second time nothing is under way between the relays, so nobody is told that the link is gone. */
import type { Scenario } from "../expanded.ts";
import { expectRecovery, kill } from "../index.ts";
import { linkedRelays } from "../linked-relays.ts";

const federationRelayFlap: Scenario = linkedRelays({
  name: "federation-relay-flap",
  asks: "Do two relays find each other again at once when one of them dies again before the call was back?",
  tags: ["recovery"],
  duration: "14s",
  faults: [kill("r2", { at: "5s", for: "200ms" }), kill("r2", { at: "5300ms", for: "1s" })],
  // The next question between the relays is due within 550 ms, and then it is as after any restart. With a keepalive alone it took until 10 s after the link was made.
  expect: [expectRecovery({ within: "900ms", from: "heal", fault: 1 })],
  twin: { mutation: "silent-link-trusted", breaks: "media-recovers" },
});

export default federationRelayFlap;

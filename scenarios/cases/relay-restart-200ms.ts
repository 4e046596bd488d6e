/** The relay dies and is back before anybody could notice by silence. */
import type { Scenario } from "../expanded.ts";
import { kill } from "../index.ts";
import { restartedRelay } from "../restarted-relay.ts";

const relayBlink: Scenario = restartedRelay({
  name: "relay-restart-200ms",
  asks: "Is it the same call, audible at once, when its relay loses its memory in a fifth of a second?",
  duration: "12s",
  // The next media packet is answered with a stateless reset, so nobody waits for a probe.
  faults: [kill("r1", { at: "5s", for: "200ms" })],
  twin: { mutation: "reset-ends-call", breaks: "same-call" },
});

export default relayBlink;

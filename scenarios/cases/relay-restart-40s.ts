/** The relay is away for so long that every wait of the backoff has been reached, and then comes back. */
import type { Scenario } from "../expanded.ts";
import { kill } from "../index.ts";
import { restartedRelay } from "../restarted-relay.ts";

const relayLongAway: Scenario = restartedRelay({
  name: "relay-restart-40s",
  asks: "Does a call outlive forty seconds without its relay, and is it audible at once afterwards?",
  tags: ["long"],
  duration: "55s",
  // However long it was away: the probe and not the backoff finds out.
  faults: [kill("r1", { at: "5s", for: "40s" })],
  twin: { mutation: "short-patience-with-relay", breaks: "same-call" },
});

export default relayLongAway;

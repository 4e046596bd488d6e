/** The restarted relay has lost the key of its stateless resets too: nothing tells its clients that their sessions are dead. */
import type { Scenario } from "../expanded.ts";
import { kill } from "../index.ts";
import { restartedRelay } from "../restarted-relay.ts";

const relayUnannounced: Scenario = restartedRelay({
  name: "relay-restart-unannounced",
  asks: "Is the return of a relay noticed at once when no stateless reset tells of it?",
  duration: "15s",
  losesResetKey: true,
  // By the STUN probe alone: up to 110 ms and a round trip more than the reset takes.
  faults: [kill("r1", { at: "5s", for: "3s" })],
  twin: { mutation: "relay-never-probed", breaks: "media-recovers" },
});

export default relayUnannounced;

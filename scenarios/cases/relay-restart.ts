/** The main case: the relay process dies under a call and comes back three seconds later with no memory. */
import type { Scenario } from "../expanded.ts";
import { kill } from "../index.ts";
import { restartedRelay } from "../restarted-relay.ts";

const relayRestart: Scenario = restartedRelay({
  name: "relay-restart",
  asks: "Is it the same call, audible within half a second, when its relay dies and comes back three seconds later?",
  tags: ["quick"],
  duration: "15s",
  // Up to 110 ms until a client hears of the relay's return, then handshake and registration at 50 ms each, and the jitter
  // buffer: about 300 ms. The other direction waits for the later of the two parties. On a real machine a process takes its time to bind.
  within: "500ms",
  faults: [kill("r1", { at: "5s", for: "3s" })],
  twin: { mutation: "sign-of-life-ignored", breaks: "media-recovers" },
});

export default relayRestart;

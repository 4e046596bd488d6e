/** The relay is restarted ten times in a minute, as by a supervisor that gives up late. */
import type { Scenario } from "../expanded.ts";
import { kill } from "../index.ts";
import { restartedRelay } from "../restarted-relay.ts";

const relayFlap: Scenario = restartedRelay({
  name: "relay-flap",
  asks: "Is it one call, audible after each time, when its relay restarts ten times in a minute?",
  tags: ["long"],
  duration: "68s",
  // The tenth as the first: no wait grows from one outage to the next.
  faults: Array.from({ length: 10 }, (_, i) => kill("r1", { at: `${5 + 6 * i}s`, for: i % 2 === 0 ? "1500ms" : "3s" })),
  twin: { mutation: "sign-of-life-ignored", breaks: "media-recovers" },
});

export default relayFlap;

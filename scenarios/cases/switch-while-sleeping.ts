/** The relay is gone, the client sits out a long wait of its backoff, and its user names another relay. */
import type { Scenario } from "../expanded.ts";
import { expectObedience, expectSignalling, kill, register } from "../index.ts";
import { scenario } from "../scenario.ts";

const switchWhileSleeping: Scenario = scenario({
  name: "switch-while-sleeping",
  asks: "Does another relay put an end to a wait for the one before, and does the backoff begin anew?",
  tags: ["relay", "switch", "supervisor"],
  duration: "30s",
  parties: { alice: {}, bob: {}, r1: { role: "relay" }, r2: { role: "relay" } },
  calls: [],
  actions: [
    register("alice", "r2", {
      after: { match: { ev: "registration", who: "alice", state: "reconnecting", attempt: 3, delayMs: 2_000 }, delay: "100ms" },
    }),
  ],
  faults: [kill("r1", { at: "2s", for: "22s" })],
  expect: [
    // A handshake and a registration at 20 ms each, and none of the two seconds that were left.
    expectObedience({ within: "100ms" }),
    // Bob waits for the relay he had: an attempt under way is heard when QUIC says it again, the next one begins within his backoff.
    expectSignalling({ within: "5s" }),
  ],
  twin: { mutation: "switch-waits-for-backoff", breaks: "as-told" },
});

export default switchWhileSleeping;

/** A client whose relay is away is told to be idle while it waits for the next attempt; then the relay comes back. */
import type { Scenario } from "../expanded.ts";
import { deregister, expectObedience, expectSignalling, kill } from "../index.ts";
import { scenario } from "../scenario.ts";

const deregisterDuringBackoff: Scenario = scenario({
  name: "deregister-during-backoff",
  asks: "Does nothing of the reconnecting survive when its user wants to be idle?",
  tags: ["relay", "supervisor"],
  duration: "30s",
  calls: [],
  actions: [
    deregister("alice", {
      after: { match: { ev: "registration", who: "alice", state: "reconnecting", attempt: 2 }, delay: "300ms" },
    }),
  ],
  faults: [kill("r1", { at: "2s", for: "18s" })],
  expect: [
    expectObedience(),
    // Without a call there are no probes: bob's attempt under way is heard when QUIC says it again (RFC 9002 section 6.2: after 1, 2, 4 s).
    expectSignalling({ within: "5s" }),
  ],
  twin: { mutation: "supervisor-survives-deregister", breaks: "as-told" },
});

export default deregisterDuringBackoff;

/** The link is gone for half a minute, longer than any timeout of a session: calls wait for their other side, and are taken up again. */
import type { Scenario } from "../expanded.ts";
import { expectRecovery, partition } from "../index.ts";
import { linkedRelays } from "../linked-relays.ts";

const federationPartition: Scenario = linkedRelays({
  name: "federation-partition",
  asks: "Does a call outlive a partition between its relays that is longer than a session's idle timeout?",
  tags: ["recovery", "long"],
  duration: "52s",
  faults: [partition("r1", "r2", { at: "5s", for: "40s" })],
  expect: [expectRecovery({ within: "700ms", from: "heal" })],
  twin: { mutation: "lost-link-not-probed", breaks: "media-recovers" },
});

export default federationPartition;

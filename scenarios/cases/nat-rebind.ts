/** A home router forgets a call's mapping and opens another: the client's address changes under a live QUIC session. */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectNoInterruption, expectRecovery, expectSameCall, rebind } from "../index.ts";
import { scenario } from "../scenario.ts";

const natRebind: Scenario = scenario({
  name: "nat-rebind",
  asks: "Does a call carry on over the same session when a NAT moves its client to another port?",
  tags: ["nat", "migration", "quick"],
  duration: "12s",
  parties: { alice: { nat: "home" } },
  faults: [rebind("alice", { at: "5s" })],
  expect: [
    expectConnect(),
    expectMedia(),
    // What alice sends next (20 ms at most) shows the relay her new address; the relay validates the path in one round trip
    // (20 ms) and sends there: some 60 ms of what was under way to the old port is lost.
    expectRecovery({ within: "300ms", from: "fault" }),
    // A session set up anew would need a second of silence first to be missed: only the same session is this quick.
    expectNoInterruption(),
    expectSameCall(),
  ],
  twin: { mutation: "session-known-by-address", breaks: "media-recovers" },
});

export default natRebind;

/** A middlebox drops QUIC alone: probes by STUN are answered all the while, and yet no session comes up. */
import type { Scenario } from "../expanded.ts";
import { blockQuic, expectConnect, expectMedia, expectRecovery, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

const quicBlocked: Scenario = scenario({
  name: "quic-blocked",
  asks: "Does a call outlive six seconds of no QUIC, in which probes by STUN say that the relay is there?",
  tags: ["nat", "recovery"],
  duration: "18s",
  iceTransportPolicy: "relay",
  parties: { alice: { nat: "home" } },
  faults: [blockQuic("alice", { at: "5s", for: "6s" })],
  expect: [
    expectConnect(),
    expectMedia(),
    // The session outlasts it; both ends repeat their last packet until it can have been heard, so voice comes with a probe's interval and a round trip.
    expectRecovery({ within: "300ms", from: "heal" }),
    expectSameCall(),
  ],
  twin: { mutation: "hang-up-on-silence", breaks: "same-call" },
});

export default quicBlocked;

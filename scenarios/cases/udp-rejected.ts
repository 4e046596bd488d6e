/** A firewall starts to refuse UDP and says so by ICMP, which nobody can prove to come from it: a call must not end on such a word. */
import type { Scenario } from "../expanded.ts";
import { blockUdp, expectConnect, expectMedia, expectRecovery, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

const udpRejected: Scenario = scenario({
  name: "udp-rejected",
  asks: "Does a call outlive four seconds in which each of its packets is answered with an ICMP error?",
  tags: ["nat", "recovery"],
  duration: "15s",
  iceTransportPolicy: "relay",
  parties: { alice: { nat: "home" } },
  faults: [blockUdp("alice", { at: "5s", for: "4s", answer: "admin-prohibited" })],
  // As with a firewall that is silent (`quic-blocked`): RFC 8085 section 5.2 has unproven ICMP change nothing.
  expect: [expectConnect(), expectMedia(), expectRecovery({ within: "300ms", from: "heal" }), expectSameCall()],
  twin: { mutation: "hang-up-on-silence", breaks: "same-call" },
});

export default udpRejected;

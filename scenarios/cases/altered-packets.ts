/** A link that flips bits, and carries no packet larger than IPv6 asks for: what is not as it was sent must be no more than lost. */
import type { Scenario } from "../expanded.ts";
import { expectConcealment, expectConnect, expectLongestGap, expectMedia, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

const alteredPackets: Scenario = scenario({
  name: "altered-packets",
  asks: "Is a packet that was altered on its way no worse than one that was lost?",
  tags: ["loss", "hostile"],
  duration: "14s",
  // The least MTU of IPv6 (RFC 8200 section 5), which a QUIC Initial of 1200 octets fits into.
  parties: { alice: { link: { profile: "broadband", corrupt: 0.03, mtu: 1_280 }, nat: "home" } },
  expect: [
    // A set-up message that is altered is repeated.
    expectConnect({ within: "3s" }),
    expectMedia(),
    expectSameCall(),
    // 3 % of packets, with a standard deviation of 0.7 % over 600; of two in a row one is concealed for 40 ms.
    expectConcealment({ max: 0.06 }),
    expectLongestGap({ max: "100ms" }),
  ],
  twin: { mutation: "waits-for-lost-packet", breaks: "longest-gap" },
});

export default alteredPackets;

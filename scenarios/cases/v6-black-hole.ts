/** IPv6 is there by every sign, and what is sent by it to the relay vanishes: the network of a hotel, or a tunnel that nobody looks after. */

import { link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectObedience, expectSameCall, partition, register } from "../index.ts";
import { scenario } from "../scenario.ts";

const v6BlackHole: Scenario = scenario({
  name: "v6-black-hole",
  asks: "Is a client with an IPv6 that swallows everything registered by IPv4 within half a second?",
  tags: ["relay", "ipv6"],
  duration: "8s",
  parties: {
    alice: { startsIdle: true, families: ["v4", "v6"], link },
    bob: { link },
    r1: { role: "relay", families: ["v4", "v6"] },
  },
  faults: [partition("alice", "r1", { family: "v6", at: "500ms" })],
  actions: [register("alice", "r1", { at: "1s" })],
  calls: [{ at: "2s" }],
  expect: [
    // 250 ms for IPv6 alone (RFC 8305 section 5), then a handshake by IPv4 and the answer to the registration, a round trip of 25 ms each.
    expectObedience({ within: "350ms" }),
    expectConnect({ within: "300ms" }),
    expectMedia(),
    expectSameCall(),
  ],
  twin: { mutation: "addresses-dialled-in-turn", breaks: "as-told" },
});

export default v6BlackHole;

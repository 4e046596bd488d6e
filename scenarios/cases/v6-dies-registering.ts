/** IPv6 carries the handshake with the relay and nothing more: the registration that follows it is never answered. */

import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectObedience, expectSameCall, partition, register } from "../index.ts";
import { scenario } from "../scenario.ts";

/** 100 ms round trip to the relay, so that there is time for the fault to strike in between. */
const link = { profile: "broadband", delay: "50ms" } as const;

const v6DiesRegistering: Scenario = scenario({
  name: "v6-dies-registering",
  asks: "Is a client registered by IPv4 within 900 ms when IPv6 dies between the handshake and the answer to the registration?",
  tags: ["relay", "ipv6"],
  duration: "8s",
  parties: {
    alice: { startsIdle: true, families: ["v4", "v6"], link },
    bob: { link },
    r1: { role: "relay", families: ["v4", "v6"] },
  },
  actions: [register("alice", "r1", { at: "1s" })],
  // The answer to the first packet has passed by then, the registration has not been sent.
  faults: [
    partition("alice", "r1", {
      family: "v6",
      after: { match: { ev: "session", who: "alice", state: "connecting" }, delay: "60ms" },
    }),
  ],
  calls: [{ at: "3s" }],
  expect: [
    // The handshake, half a second without an answer, then a handshake by IPv4 and the answer: three round trips of 100 ms.
    expectObedience({ within: "900ms" }),
    expectConnect({ within: "600ms" }),
    expectMedia(),
    expectSameCall(),
  ],
  twin: { mutation: "registration-not-doubted", breaks: "as-told" },
});

export default v6DiesRegistering;

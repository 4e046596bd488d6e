/** The way back of v6-dies-mid-call: IPv6 was dead when the client registered, so the call goes by IPv4; by the time IPv4 dies, IPv6 is well. */

import { twoFamilies } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectLongestGap, expectMedia, expectSameCall, partition } from "../index.ts";
import { scenario } from "../scenario.ts";

const v4DiesMidCall: Scenario = scenario({
  name: "v4-dies-mid-call",
  asks: "Is a call by the relay heard again within 500 ms by IPv6 when IPv4 dies under it without any notification?",
  tags: ["relay", "ipv6", "recovery"],
  duration: "9s",
  parties: twoFamilies,
  faults: [
    partition("alice", "r1", { family: "v6", at: "0s", for: "2500ms" }),
    partition("alice", "r1", { family: "v4", at: "5s" }),
  ],
  expect: [expectConnect(), expectMedia(), expectLongestGap({ max: "500ms" }), expectSameCall()],
  twin: { mutation: "dead-family-not-left", breaks: "longest-gap" },
});

export default v4DiesMidCall;

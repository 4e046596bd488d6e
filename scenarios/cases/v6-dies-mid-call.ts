/** A call by the relay over IPv6, and IPv6 dies without a word: addresses, routes and neighbours are as before, and nothing arrives any more. IPv4 works. */

import { twoFamilies } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectLongestGap, expectMedia, expectSameCall, partition } from "../index.ts";
import { scenario } from "../scenario.ts";

const v6DiesMidCall: Scenario = scenario({
  name: "v6-dies-mid-call",
  asks: "Is a call by the relay heard again within 500 ms by IPv4 when IPv6 dies under it without any notification?",
  tags: ["relay", "ipv6", "recovery"],
  duration: "9s",
  parties: twoFamilies,
  faults: [partition("alice", "r1", { family: "v6", at: "5s" })],
  expect: [
    expectConnect(),
    expectMedia(),
    // 225 ms to the next question, two more 50 ms apart that IPv4 alone answers, 75 ms for IPv6; then a handshake and what was under way, two round trips of 25 ms.
    expectLongestGap({ max: "500ms" }),
    expectSameCall(),
  ],
  twin: { mutation: "dead-family-not-left", breaks: "longest-gap" },
});

export default v6DiesMidCall;

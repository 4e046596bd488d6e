/** A call by the relay over IPv6, of which one direction dies without a word: who is not heard any more hears everything, and no answer of the network says so. */

import { twoFamilies } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectLongestGap, expectMedia, expectSameCall, partition } from "../index.ts";
import { scenario } from "../scenario.ts";

const v6DiesOneWay: Scenario = scenario({
  name: "v6-dies-one-way",
  asks: "Is a party heard again within 650 ms by IPv4 when nothing that it sends by IPv6 arrives any more, though it hears all?",
  tags: ["relay", "ipv6", "recovery"],
  duration: "9s",
  parties: twoFamilies,
  faults: [partition("alice", "r1", { family: "v6", direction: "up", at: "5s" })],
  expect: [
    expectConnect(),
    expectMedia(),
    // 225 ms to the next question, five of them 50 ms apart that IPv4 alone answers, 75 ms more for IPv6; then a handshake and what was under way, two round trips of 25 ms.
    expectLongestGap({ max: "650ms" }),
    expectSameCall(),
  ],
  twin: { mutation: "what-is-heard-proves-both-ways", breaks: "longest-gap" },
});

export default v6DiesOneWay;

/** A registered client without a call, and the IPv6 that it is registered by dies without a word. Somebody calls it a few seconds later. */

import { link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectSameCall, partition } from "../index.ts";
import { scenario } from "../scenario.ts";

const v6DiesAtRest: Scenario = scenario({
  name: "v6-dies-at-rest",
  asks: "Is a client that does nothing reached by IPv4 within seven seconds of the death of the IPv6 it was registered by?",
  tags: ["relay", "ipv6"],
  duration: "12s",
  parties: {
    alice: { link },
    bob: { families: ["v4", "v6"], link },
    r1: { role: "relay", families: ["v4", "v6"] },
  },
  faults: [partition("bob", "r1", { family: "v6", at: "2s" })],
  // A question every five seconds, six at most, and questions by both from then on (relay-watch.ts).
  calls: [{ at: "9s" }],
  expect: [expectConnect({ within: "300ms" }), expectMedia(), expectSameCall()],
  twin: { mutation: "nobody-asks-at-rest", breaks: "call-connects" },
});

export default v6DiesAtRest;

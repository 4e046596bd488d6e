/** One direction of a direct path swallows everything: whoever sends into it hears the other as before, and has to be told. */

import { link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectLongestGap, expectMedia, expectPath, expectSameCall, partition } from "../index.ts";
import { scenario } from "../scenario.ts";

const directBlackHoleOneWay: Scenario = scenario({
  name: "direct-black-hole-one-way",
  asks: "Does the relay take over unheard when one direction of a direct path swallows everything without a word?",
  tags: ["ice", "path"],
  duration: "10s",
  iceTransportPolicy: "all",

  parties: { alice: { link }, bob: { link } },
  faults: [partition("alice", "bob", { direction: "up", at: "4s" })],
  expect: [expectConnect(), expectMedia(), expectLongestGap({ max: "160ms" }), expectPath({ path: "relay" }), expectSameCall()],
  twin: { mutation: "one-path-at-a-time", breaks: "longest-gap" },
});

export default directBlackHoleOneWay;

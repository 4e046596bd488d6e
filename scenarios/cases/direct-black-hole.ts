/** Somewhere between the two everything vanishes without a word: no address has changed and nobody's network notices anything; the relay reaches both. */

import { link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectLongestGap, expectMedia, expectPath, expectSameCall, partition } from "../index.ts";
import { scenario } from "../scenario.ts";

const directBlackHole: Scenario = scenario({
  name: "direct-black-hole",
  asks: "Does the relay take over unheard when a direct path swallows everything without a word?",
  tags: ["ice", "path"],
  duration: "10s",
  iceTransportPolicy: "all",

  parties: { alice: { link }, bob: { link } },
  faults: [partition("alice", "bob", { at: "4s" })],
  expect: [expectConnect(), expectMedia(), expectLongestGap({ max: "160ms" }), expectPath({ path: "relay" }), expectSameCall()],
  twin: { mutation: "one-path-at-a-time", breaks: "longest-gap" },
});

export default directBlackHole;

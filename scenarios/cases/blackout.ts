/** One party's link passes nothing for a second, as in a lift or a tunnel. */
import type { Scenario } from "../expanded.ts";
import { blackout, expectConnect, expectLongestGap, expectMedia, expectRecovery, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

const blackoutCase: Scenario = scenario({
  name: "blackout",
  asks: "Is a call audible again at once after a second in which nothing passed?",
  tags: ["loss", "recovery", "quick"],
  duration: "12s",
  faults: [blackout("bob", { at: "5s", for: "1s" })],
  expect: [
    expectConnect(),
    expectMedia(),
    // No session is lost and media are never held back by retransmission: the next packet through is the next one played.
    expectRecovery({ within: "500ms", from: "heal" }),
    // The blackout and that recovery.
    expectLongestGap({ max: "1500ms" }),
    expectSameCall(),
  ],
  twin: { mutation: "no-leap-in-packet-numbers", breaks: "media-recovers" },
});

export default blackoutCase;

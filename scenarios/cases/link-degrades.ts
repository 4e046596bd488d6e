/** A third of what the caller's peer would hear is lost for nearly half a minute, and then nothing any more. */
import type { Scenario } from "../expanded.ts";
import { expectConcealment, expectConnect, expectMedia, expectSameCall, impair } from "../index.ts";
import { scenario } from "../scenario.ts";

const linkDegrades: Scenario = scenario({
  name: "link-degrades",
  asks: "Does a sender that is told of loss protect its voice so that its peer hardly hears a third of it being lost?",
  tags: ["loss", "fec", "long"],
  duration: "40s",
  tier: "adaptive",
  fec: { scheme: "adaptive" },
  faults: [impair("alice", { link: { loss: 0.33 }, direction: "up", at: "5s", for: "33s" })],
  expect: [
    expectConnect(),
    expectMedia(),
    expectSameCall(),
    // Over seeds 1 to 150: 0.3 % to 3.3 %; 4.6 % to 12.1 % where nobody carries out what is decided, which is what the codec's own redundancy leaves.
    expectConcealment({ party: "bob", max: 0.04 }),
  ],
  twin: { mutation: "reports-unheeded", breaks: "concealment" },
});

export default linkDegrades;

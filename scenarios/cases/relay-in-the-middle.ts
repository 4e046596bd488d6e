/** A relay that wants to listen in puts key shares of its own into the caller's offers, and gives it up after a while. */
import type { Scenario } from "../expanded.ts";
import { disturbSignalling, expectConnect, expectMedia, expectRefusal, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

const relayInTheMiddle: Scenario = scenario({
  name: "relay-in-the-middle",
  asks: "Does nobody take a call whose keys somebody on the way has exchanged, and does it come up once he leaves it alone?",
  tags: ["call", "hostile"],
  duration: "10s",
  faults: [
    disturbSignalling("bob", {
      ...{ at: "200ms", for: "4300ms", direction: "down" },
      effect: { forge: 1, types: ["DirectCallOffer"] },
    }),
  ],
  expect: [
    // An offer nobody answers is repeated every second.
    expectRefusal({ party: "bob", reason: "forged-signature", atLeast: 3 }),
    expectConnect({ within: "5s" }),
    expectMedia(),
    expectSameCall(),
  ],
  twin: { mutation: "share-signature-unchecked", breaks: "media-flows" },
});

export default relayInTheMiddle;

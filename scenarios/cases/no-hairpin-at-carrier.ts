/** The same carrier's NAT without hairpinning: both outside addresses lead nowhere from inside. */
import type { Scenario } from "../expanded.ts";
import { expectConcealment, expectConnect, expectMedia, expectPath, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

/** 12.5 ms one way on each client's link: 50 ms round trip between the two, 25 ms to the relay. */
const link = { profile: "broadband", delay: "12500us" };

const noHairpinAtCarrier: Scenario = scenario({
  name: "no-hairpin-at-carrier",
  asks: "Does a call between two homes behind one carrier's NAT that does not hairpin stay on the relay, undisturbed?",
  tags: ["ice", "nat"],
  duration: "8s",
  iceTransportPolicy: "all",
  nats: {
    carrier: { preset: "cgnat", hairpin: "off" },
    "alice-router": { preset: "home", behind: "carrier" },
    "bob-router": { preset: "home", behind: "carrier" },
  },
  parties: { alice: { nat: "alice-router", link }, bob: { nat: "bob-router", link } },

  expect: [expectConnect(), expectMedia(), expectPath({ path: "relay" }), expectConcealment({ max: 0.01 }), expectSameCall()],
  twin: { mutation: "relay-path-waits-for-race", breaks: "media-flows" },
});

export default noHairpinAtCarrier;

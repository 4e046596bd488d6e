/** Two homes behind one carrier's NAT, which turns packets from inside back inside (RFC 4787 REQ-9). */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectPath, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

/** 12.5 ms one way on each client's link: 50 ms round trip between the two, 25 ms to the relay. */
const link = { profile: "broadband", delay: "12500us" };

const hairpinAtCarrier: Scenario = scenario({
  name: "hairpin-at-carrier",
  asks: "Do two homes behind one carrier's NAT that hairpins talk through it directly?",
  tags: ["ice", "nat"],
  duration: "8s",
  iceTransportPolicy: "all",
  nats: {
    carrier: { preset: "cgnat", hairpin: "external-source" },
    "alice-router": { preset: "home", behind: "carrier" },
    "bob-router": { preset: "home", behind: "carrier" },
  },
  parties: { alice: { nat: "alice-router", link }, bob: { nat: "bob-router", link } },

  expect: [expectConnect(), expectMedia(), expectPath({ path: "direct" }), expectSameCall()],
  twin: { mutation: "acceptor-never-punches", breaks: "path-is" },
});

export default hairpinAtCarrier;

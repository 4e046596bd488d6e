/** Two homes behind one carrier's NAT, which turns packets from inside back inside (RFC 4787 REQ-9). */

import { carrier } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectPath, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

const hairpinAtCarrier: Scenario = scenario({
  name: "hairpin-at-carrier",
  asks: "Do two homes behind one carrier's NAT that hairpins talk through it directly?",
  tags: ["ice", "nat"],
  duration: "8s",
  iceTransportPolicy: "all",
  ...carrier("external-source"),

  expect: [expectConnect(), expectMedia(), expectPath({ path: "direct" }), expectSameCall()],
  twin: { mutation: "acceptor-never-punches", breaks: "path-is" },
});

export default hairpinAtCarrier;

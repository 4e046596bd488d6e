/** A carrier's NAT that turns packets back inside and leaves their inside source as it is (RFC 4787 section 6, what REQ-9a forbids): whoever is found is found at an address that no server has told of. */

import { carrier } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectPath, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

const hairpinInternalSource: Scenario = scenario({
  name: "hairpin-internal-source",
  asks: "Do two homes behind one carrier's NAT talk directly by the inside addresses that its hairpinning shows them?",
  tags: ["ice", "nat"],
  duration: "8s",
  iceTransportPolicy: "all",
  ...carrier("internal-source", "full-cone"),
  expect: [expectConnect(), expectMedia(), expectPath({ path: "direct" }), expectSameCall()],
  twin: { mutation: "learnt-address-not-tried", breaks: "path-is" },
});

export default hairpinInternalSource;

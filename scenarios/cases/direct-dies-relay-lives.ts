/** The phone leaves the network that both were on for one behind a symmetric NAT, from which nothing direct leads to its peer. */

import { link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectLongestGap, expectMedia, expectPath, expectSameCall, interfaceDown } from "../index.ts";
import { scenario } from "../scenario.ts";

const directDiesRelayLives: Scenario = scenario({
  name: "direct-dies-relay-lives",
  asks: "Does the relay take over within a syllable when the direct path is gone for good?",
  tags: ["ice", "nat"],
  duration: "12s",
  iceTransportPolicy: "all",
  nats: { flat: { preset: "home", hairpin: "off" } },
  parties: {
    alice: { interfaces: { wlan0: { nat: "flat", link }, cell0: { nat: "symmetric", link } } },
    bob: { nat: "flat", link },
  },
  faults: [interfaceDown("alice", { interface: "wlan0", at: "5s" })],
  expect: [expectConnect(), expectMedia(), expectLongestGap({ max: "160ms" }), expectPath({ path: "relay" }), expectSameCall()],
  twin: { mutation: "relay-path-goes-cold", breaks: "longest-gap" },
});

export default directDiesRelayLives;

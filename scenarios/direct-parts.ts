/** What cases about direct paths have in common. */
import {
  expectConcealment,
  expectConnect,
  expectFreshGenerations,
  expectLongestGap,
  expectMedia,
  expectPath,
  expectSameCall,
  expectSignalling,
} from "./index.ts";
import type { WrittenScenario } from "./written-scenario.ts";

type Party = NonNullable<WrittenScenario["parties"]>[string];

/** 12.5 ms one way on each client's link: 50 ms round trip between the two, 25 ms to the relay. */
export const link = { profile: "broadband", delay: "12500us" } as const;

/** A phone: home WiFi, and a carrier's network that lets in only whom it has written to. The first interface that is up carries everything. */
export const phone: Party = { interfaces: { wlan0: { nat: "home", link }, cell0: { nat: "port-restricted", link } } };

/** Two homes behind one carrier's NAT. `hairpin`: RFC 4787 REQ-9; `home`: what their own routers are. */
export const carrier = (
  hairpin: "off" | "internal-source" | "external-source",
  home = "home",
): Pick<WrittenScenario, "nats" | "parties"> => ({
  nats: {
    carrier: { preset: "cgnat", hairpin },
    "alice-router": { preset: home, behind: "carrier" },
    "bob-router": { preset: home, behind: "carrier" },
  },
  parties: { alice: { nat: "alice-router", link }, bob: { nat: "bob-router", link } },
});

/** A client and a relay with both families, and one who has IPv4 alone: their call goes by the relay. */
export const twoFamilies: NonNullable<WrittenScenario["parties"]> = {
  alice: { families: ["v4", "v6"], link },
  bob: { link },
  r1: { role: "relay", families: ["v4", "v6"] },
};

/** Nothing is heard of what happens to the relay of a direct call, and signalling is back soon. */
export const unheardOnDirectPath = (): WrittenScenario["expect"] => [
  expectConnect(),
  expectMedia(),
  expectLongestGap({ max: "20ms" }),
  expectSignalling({ within: "500ms" }),
  expectPath({ path: "direct" }),
  expectSameCall(),
];

/** The call is on the relay from its set-up to its end, and does not wait for a race that cannot be won. */
export const undisturbedOnRelay = (): WrittenScenario["expect"] => [
  expectConnect(),
  expectMedia(),
  expectPath({ path: "relay" }),
  // Media start with the set-up.
  expectConcealment({ max: 0.01 }),
  expectSameCall(),
];

/** The relay carries voice from the set-up on and the direct path takes over, which nobody hears. */
export const directSoon = (): WrittenScenario["expect"] => [
  // Answer and set-up, one round trip to the relay each, and the first media by the relay: the direct path comes two round trips later.
  expectConnect({ within: "300ms" }),
  expectMedia(),
  expectPath({ path: "direct" }),
  expectConcealment({ max: 0.01 }),
  expectSameCall(),
];

/** A direct call is direct again after every change of network, of which each is told in a candidate update newer than the last. */
export const directAgain = (): WrittenScenario["expect"] => [
  expectConnect(),
  expectMedia(),
  expectFreshGenerations(),
  expectLongestGap({ max: "300ms" }),
  expectPath({ path: "direct" }),
  expectSameCall(),
];

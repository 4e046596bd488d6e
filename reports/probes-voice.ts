/** Probes about what voice is made of: tiers and forward error correction. */
import type { Watch } from "./probe-world.ts";

/** Frames that redundancy gave back in a row: 60 ms, more than concealment hides. */
const BRIDGED_FRAMES = 3;

export const VOICE_WATCHES: readonly Watch[] = [
  {
    ev: "tier",
    name: "tier-changed",
    says: "a sender goes from one tier to another",
    hit: (one, world) => (world.tiers.get(`${one.call} ${one.who}`) ?? one.tier) !== one.tier,
  },
  { ev: "tier", name: "lowest-tier", says: "a sender speaks in the lowest tier", hit: (one) => one.tier === "catastrophic" },
  {
    ev: "fec",
    name: "given-back",
    says: "redundancy gives a lost frame back",
    hit: (one) => one.givenBack > 0,
  },
  {
    ev: "media-played",
    name: "outage-bridged",
    says: "redundancy bridges an outage of 60 ms",
    hit: (one) => one.kind === "recovered" && one.n >= BRIDGED_FRAMES,
  },
];

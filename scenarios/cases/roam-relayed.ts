/** A phone leaves its home's wireless LAN for the mobile network and comes back: first make before break, then break before make, on the path by the relay. */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectRecovery, expectSameCall, roam } from "../index.ts";
import { scenario } from "../scenario.ts";

const roamRelayed: Scenario = scenario({
  name: "roam-relayed",
  asks: "Is it the same call, heard again at once, when a phone changes to the mobile network and back, with and without an overlap?",
  tags: ["roam", "migration"],
  duration: "20s",
  parties: {
    alice: {
      interfaces: {
        wlan0: { link: "broadband", nat: "home" },
        cell0: { link: { profile: "broadband", delay: "40ms" }, nat: "cgnat" },
      },
    },
    bob: { nat: "home" },
  },
  faults: [roam("alice", { at: "5s", overlap: "1s", for: "4s" }), roam("alice", { at: "13s", gap: "200ms", for: "3s" })],
  expect: [
    expectConnect(),
    expectMedia(),
    // The gap itself, what was under way to the old address (a one-way delay), and the validation of the new one (a round trip of 90 ms). Then the jitter buffer
    // finds the longer way's delay, and a frame made up meanwhile counts as not yet recovered: up to 485 ms over twenty seeds in virtual time.
    expectRecovery({ within: "600ms", from: "fault" }),
    expectSameCall(),
  ],
  twin: { mutation: "session-known-by-address", breaks: "media-recovers" },
});

export default roamRelayed;

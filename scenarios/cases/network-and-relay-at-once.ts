/** The client gets another public address while its relay restarts. */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectRecovery, expectSameCall, expectSignalling, kill, renumber } from "../index.ts";
import { scenario } from "../scenario.ts";

/** 50 ms round trip to the relay. */
const access = { link: { profile: "broadband", delay: "25ms" } };

const networkAndRelayAtOnce: Scenario = scenario({
  name: "network-and-relay-at-once",
  asks: "Is a call audible at once when its relay comes back to a client that has moved meanwhile?",
  tags: ["relay", "nat", "recovery"],
  duration: "14s",
  parties: { alice: { ...access, nat: "home" }, bob: access, r1: { role: "relay", losesResetKey: true } },
  faults: [kill("r1", { at: "5s", for: "3s" }), renumber("alice", { at: "6500ms" }), renumber("alice", { at: "7950ms" })],
  expect: [
    expectConnect(),
    expectMedia(),
    expectRecovery({ within: "400ms", from: "heal", fault: 0 }),
    expectSignalling({ within: "400ms" }),
    expectSameCall(),
  ],
  twin: { mutation: "relay-deaf-to-stun", breaks: "media-recovers" },
});

export default networkAndRelayAtOnce;

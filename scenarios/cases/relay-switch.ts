/** A client without a call changes its relay, to and fro, twice in a row, and is called where it ends up. */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, expectObedience, expectSameCall, register } from "../index.ts";
import { scenario } from "../scenario.ts";

const relaySwitch: Scenario = scenario({
  name: "relay-switch",
  asks: "Is a change of relay one action, and the same relay again none?",
  tags: ["relay", "switch"],
  duration: "12s",
  parties: { alice: {}, bob: {}, r1: { role: "relay" }, r2: { role: "relay" } },
  calls: [{ at: "6s" }],
  actions: [
    register("alice", "r2", { at: "1s" }),
    register("alice", "r2", { at: "2s" }), // where she is already
    register("alice", "r1", { at: "3s" }), // and back
    register("alice", "r2", { at: "4s" }),
    register("alice", "r1", { at: "4010ms" }), // before the other relay has answered
  ],
  expect: [
    // A handshake and a registration at 20 ms each.
    expectObedience({ within: "100ms" }),
    expectConnect(),
    expectMedia(),
    expectSameCall(),
  ],
  twin: { mutation: "switch-ignored", breaks: "as-told" },
});

export default relaySwitch;

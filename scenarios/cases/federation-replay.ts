/**
 * A user moves from one relay to another while the first is cut off from everybody. When that one is back it still believes that it has the user and shows that registration,
 * which is genuine: only its time tells that it is not the last one.
 */
import type { Scenario } from "../expanded.ts";
import { expectConnect, expectMedia, partition, register } from "../index.ts";
import { scenario } from "../scenario.ts";

const access = { link: { profile: "broadband", delay: "25ms" } } as const;

const federationReplay: Scenario = scenario({
  name: "federation-replay",
  asks: "Is a user found where they registered last, when a relay they have left shows their earlier registration?",
  tags: ["federation", "relay", "call"],
  duration: "18s",
  iceTransportPolicy: "relay",
  parties: {
    alice: { ...access, relay: "r1" },
    bob: { ...access, relay: "r2" },
    r1: { role: "relay", federatesWith: ["r2", "r3"] },
    r2: { role: "relay" },
    r3: { role: "relay" },
  },
  actions: [register("bob", "r3", { at: "4s" })],
  calls: [{ at: "13s", caller: "alice", callee: "bob" }],
  faults: [partition("r1", "r2", { at: "3s", for: "6s" }), partition("bob", "r2", { at: "3s" })],
  expect: [expectConnect({ within: "1s" }), expectMedia()],
  twin: { mutation: "replayed-registration-believed", breaks: "call-connects" },
});

export default federationReplay;

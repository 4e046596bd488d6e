/** Three calls share one link between two relays, in both directions; its packets travel together, and nobody hears another's call. */
import type { Scenario } from "../expanded.ts";
import { expectConcealment } from "../index.ts";
import { linkedRelays } from "../linked-relays.ts";

const access = { link: { profile: "broadband", delay: "25ms" } } as const;

const federationTrunk: Scenario = linkedRelays({
  name: "federation-trunk",
  asks: "Do several calls between two relays share datagrams without one of them losing or mixing up anything?",
  duration: "10s",
  more: {
    carol: { ...access, relay: "r1" },
    dave: { ...access, relay: "r2" },
    erin: { ...access, relay: "r1" },
    frank: { ...access, relay: "r2" },
  },
  calls: [
    { at: "1s", answerAfter: "200ms", caller: "alice", callee: "bob" },
    { at: "1200ms", answerAfter: "200ms", caller: "dave", callee: "carol" },
    { at: "1400ms", answerAfter: "200ms", caller: "erin", callee: "frank" },
  ],
  expect: [expectConcealment({ max: 0.01 })],
  twin: { mutation: "trunk-without-numbers", breaks: "media-flows" },
});

export default federationTrunk;

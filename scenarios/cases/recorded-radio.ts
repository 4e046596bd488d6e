/** Voice over a radio that sends when it may: recorded opportunities instead of a rate, with pauses as long as a handover in between. */
import type { Scenario } from "../expanded.ts";
import { expectConcealment, expectConnect, expectLongestGap, expectMedia, expectMouthToEar, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

/**
 * Two seconds of a loaded LTE uplink: an opportunity every 8 ms as grants come (3GPP TS 36.213: a request and its grant), none for 120 ms once, which is
 * an interrupted handover (3GPP TS 36.133 allows 130 ms).
 */
const UPLINK: readonly number[] = Array.from({ length: 250 }, (_, index) => index * 8).filter((ms) => ms < 1_200 || ms >= 1_320);

const recordedRadio: Scenario = scenario({
  name: "recorded-radio",
  asks: "Does voice keep its place when the radio sends only now and then, and not at all for 120 ms every two seconds?",
  tags: ["jitter", "trace"],
  duration: "16s",
  parties: {
    alice: {
      link: { profile: "broadband", rate: null, deliveries: { mahimahi: [...UPLINK, 2_000], queue: "400ms" } },
      nat: "home",
    },
  },
  expect: [
    expectConnect(),
    expectMedia(),
    expectSameCall(),
    // Nothing is lost: what a pause holds back comes after it, and is missed in the first pause only, 100 ms of 14 s; with each of the six pauses it were 4 %.
    expectConcealment({ max: 0.02, party: "bob" }),
    expectLongestGap({ max: "140ms", party: "bob" }),
    // The pause, the way, and a packet of either side.
    expectMouthToEar({ p95: "260ms", party: "bob" }),
  ],
  twin: { mutation: "lateness-not-learnt", breaks: "concealment" },
});

export default recordedRadio;

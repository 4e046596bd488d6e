/** What the cases about a relay that dies under a call and comes back have in common: one relay, 50 ms round trip to it, and how soon all is well again. */
import type { Scenario } from "./expanded.ts";
import { expectConnect, expectMedia, expectRecovery, expectSameCall, expectSignalling } from "./index.ts";
import { scenario } from "./scenario.ts";
import type { Time } from "./time.ts";
import type { WrittenScenario } from "./written-scenario.ts";

/** 25 ms one way on the client's link and none on the relay's. */
const access = { link: { profile: "broadband", delay: "25ms" } };

type Rest = Pick<WrittenScenario, "name" | "asks" | "duration" | "faults" | "twin"> & {
  readonly tags?: readonly string[];
  /** From the relay's return to signalling and media; 300 ms and two round trips unless told. */
  readonly within?: Time;
  readonly losesResetKey?: true;
};

export const restartedRelay = ({ tags = [], within = "400ms", losesResetKey, ...rest }: Rest): Scenario =>
  scenario({
    ...rest,
    tags: ["relay", "recovery", ...tags],
    parties: {
      alice: access,
      bob: access,
      r1: { role: "relay", ...(losesResetKey === undefined ? {} : { losesResetKey }) },
    },
    expect: [
      expectConnect(),
      expectMedia(),
      expectRecovery({ within, from: "heal" }),
      expectSignalling({ within }),
      expectSameCall(),
    ],
  });

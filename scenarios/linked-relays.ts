/** What the cases about relays that are linked have in common: alice with one relay, bob with the other, 50 ms round trip to each, media by the relays. */
import type { Scenario } from "./expanded.ts";
import { expectConnect, expectMedia, expectSameCall } from "./index.ts";
import { scenario } from "./scenario.ts";
import type { WrittenScenario } from "./written-scenario.ts";

const access = { link: { profile: "broadband", delay: "25ms" } } as const;

type Rest = Pick<WrittenScenario, "name" | "asks" | "duration" | "faults" | "twin"> & {
  readonly tags?: readonly string[];
  /** Besides that the call comes up, is heard and stays the same one. */
  readonly expect?: WrittenScenario["expect"];
  readonly calls?: WrittenScenario["calls"];
  /** Clients besides alice, with r1, and bob, with r2. */
  readonly more?: NonNullable<WrittenScenario["parties"]>;
};

export const linkedRelays = ({ tags = [], expect = [], more = {}, ...rest }: Rest): Scenario =>
  scenario({
    ...rest,
    tags: ["federation", "relay", ...tags],
    iceTransportPolicy: "relay",
    parties: {
      alice: { ...access, relay: "r1" },
      bob: { ...access, relay: "r2" },
      ...more,
      r1: { role: "relay", federatesWith: ["r2"] },
      r2: { role: "relay" },
    },
    expect: [expectConnect(), expectMedia(), ...expect, expectSameCall()],
  });

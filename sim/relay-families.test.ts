/** A relay of two addresses, and one of them dies under a call without a word: how long that is heard, whatever the instant, and that nothing less makes a client move. */
import { expect, test } from "vitest";
import type { Direction } from "../scenarios/expanded.ts";
import { partition } from "../scenarios/fault-builders.ts";
import { impair } from "../scenarios/index.ts";
import { scenario } from "../scenarios/scenario.ts";
import type { WrittenScenario } from "../scenarios/written-scenario.ts";
import { runSim } from "./lab.ts";
import { nullCrypto } from "./null-crypto.ts";
import { sizedCodec } from "./sized-codec.ts";

/** 50 ms round trip between the two clients, 25 ms to the relay. */
const link = { profile: "broadband", delay: "12500us" } as const;
const INSTANTS = 8;

function called(more: Partial<WrittenScenario>, seed: number) {
  const written = {
    ...{ name: "two-families", asks: "Does it move?", duration: "8s", ...more },
    parties: {
      alice: { families: ["v4", "v6"], link },
      bob: { link },
      r1: { role: "relay", families: ["v4", "v6"] },
    },
  } as const satisfies WrittenScenario;
  return runSim({ scenario: scenario(written), seed }, { codec: sizedCodec, crypto: nullCrypto }).records;
}

/** Longest stretch of frames that were not the peer's, milliseconds. */
function longestSilence(records: ReturnType<typeof called>, who: string, from: number): number {
  const made = records.flatMap((one) =>
    one.ev === "media-played" && one.who === who && one.t >= from && one.kind !== "source" ? [one.n] : [],
  );
  return 20 * Math.max(0, ...made);
}

test.each([
  ["both directions", undefined, ["alice", "bob"], 440],
  ["what the relay sends", "down", ["alice"], 440],
  ["what the client sends", "up", ["bob"], 600],
] as const)("%s: silent for a limited time, whatever the instant", (_, direction, deaf, most) => {
  for (let k = 0; k < INSTANTS; k++) {
    const during = {
      family: "v6",
      at: `${5_000 + 31 * k}ms`,
      ...(direction === undefined ? {} : { direction: direction as Direction }),
    } as const;
    const records = called({ faults: [partition("alice", "r1", during)] }, k + 1);
    for (const who of deaf) expect(longestSilence(records, who, 4_000_000), `${who}, instant ${k}`).toBeLessThanOrEqual(most);
  }
});

test.each([
  ["speech", {}],
  ["turns with silence between them", { dtx: true, calls: [{ callerSays: "turns-a", calleeSays: "turns-b" }] }],
] as const)("%s: one packet in ten lost each way, and an outage of the peer, move nobody", (_, talk) => {
  for (const seed of [1, 2]) {
    const records = called(
      {
        ...talk,
        duration: "24s",
        faults: [
          impair("alice", { link: { loss: 0.1 }, at: "2s" }),
          impair("bob", { link: { loss: 1 }, direction: "up", at: "12s", for: "800ms" }),
        ],
      },
      seed,
    );
    const moves = records.filter((one) => one.ev === "registration" && one.who === "alice" && one.state === "reconnecting");
    expect(moves, `seed ${seed}`).toEqual([]);
  }
});

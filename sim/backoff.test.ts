import { describe, expect, it } from "vitest";
import { scenario } from "../scenarios/scenario.ts";
import { runSim } from "./lab.ts";
import { nullCrypto } from "./null-crypto.ts";
import { sizedCodec } from "./sized-codec.ts";

const engines = { codec: sizedCodec, crypto: nullCrypto };
const SECOND = 1_000_000;
const without = (duration: string, during: { readonly at: string; readonly for?: string }, seed: number) => {
  const case_ = scenario({
    name: "backoff",
    asks: "Is it the schedule?",
    duration,
    calls: [],
    faults: [{ kind: "kill", target: "r1", ...during }],
  });
  const { records } = runSim({ scenario: case_, seed }, engines);
  return records.filter((one) => one.ev === "registration" && one.who === "alice" && one.t < case_.duration);
};
type Step = { readonly t: number; readonly state: string; readonly attempt?: number; readonly delayMs?: number };

describe("a client without a call whose relay is gone", () => {
  it.each([1, 2, 3])("tries at once and then after 1, 2, 4, 8, 15 s and every 30 s, to the microsecond (seed %i)", (seed) => {
    const steps = (without("3min", { at: "2s" }, seed) as readonly Step[]).filter((one) => one.state === "reconnecting");
    const [first] = steps;
    expect(first).toMatchObject({ attempt: 1, delayMs: 0 });
    const waits = steps.filter((one) => (one.delayMs ?? 0) > 0);
    expect(waits.map((one) => one.delayMs)).toEqual([1, 2, 4, 8, 15, 30, 30, 30, 30].map((length) => length * 1_000));
    for (const [index, wait] of waits.entries()) {
      const [failed, next] = [steps[2 * index], steps[2 * index + 2]];
      // A handshake without an answer is given up after 4 s; the wait begins then.
      expect(wait.t - (failed?.t ?? 0)).toBe(4 * SECOND);
      if (next !== undefined)
        expect([next.t - wait.t, next.attempt, next.delayMs]).toEqual([(wait.delayMs ?? 0) * 1_000, wait.attempt, 0]);
    }
    expect(steps.length).toBeGreaterThan(12);
  });

  it("begins the schedule anew after each registration", () => {
    const steps = without("2min", { at: "2s", for: "40s" }, 4) as readonly Step[];
    const back = steps.findIndex((one, index) => index > 1 && one.state === "registered");
    expect(steps[back]?.attempt).toBeGreaterThan(3);
    expect(steps.slice(back + 1)).toEqual([]); // and nobody tries any more
  });
});

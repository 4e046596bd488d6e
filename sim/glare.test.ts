import fc from "fast-check";
import { expect, it } from "vitest";
import type { CallRecord } from "../impl/base/record.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { parseScenario } from "../scenarios/language.ts";
import { runSim } from "./lab.ts";
import { nullCrypto } from "./null-crypto.ts";
import { sizedCodec } from "./sized-codec.ts";

type Disorder = { readonly duplicate: number; readonly reorder: number; readonly delay: number };

/** Alice calls Bob at one second and Bob Alice `leadMs` later; each party's messages are disordered in its own way for three seconds. */
function crossing(leadMs: number, links: readonly [number, number], disorders: readonly [Disorder, Disorder]): Scenario {
  const parsed = parseScenario({
    name: "glare",
    asks: "Both call each other at once: does one call come up?",
    duration: "12s",
    parties: {
      alice: { role: "client", interfaces: { eth0: { up: { delay: `${links[0]}ms` }, down: { delay: `${links[0]}ms` } } } },
      bob: { role: "client", interfaces: { eth0: { up: { delay: `${links[1]}ms` }, down: { delay: `${links[1]}ms` } } } },
      r1: { role: "relay" },
    },
    calls: [
      { caller: "alice", callee: "bob", at: "1s", answerAfter: "200ms" },
      { caller: "bob", callee: "alice", at: `${1_000 + leadMs}ms`, answerAfter: "200ms" },
    ],
    faults: disorders.map((disorder, i) => ({
      at: "900ms",
      for: "3s",
      kind: "signalling",
      target: i === 0 ? "alice" : "bob",
      direction: "both",
      effect: { ...disorder, delay: `${disorder.delay}ms` },
    })),
    expect: [],
  });
  if (!parsed.ok) throw new TypeError(JSON.stringify(parsed.problems));
  return parsed.scenario;
}

it("when both call each other at once, one call comes up and is heard at both ends, in whatever order messages arrive", () => {
  const disorder: fc.Arbitrary<Disorder> = fc.record({
    duplicate: fc.constantFrom(0, 0.5, 1),
    reorder: fc.constantFrom(0, 0.3, 0.6),
    delay: fc.constantFrom(1, 20, 700),
  });
  let crossed = 0;
  fc.assert(
    fc.property(
      fc.nat({ max: 150 }),
      fc.tuple(fc.nat({ max: 80 }), fc.nat({ max: 80 })),
      fc.tuple(disorder, disorder),
      fc.nat(),
      (lead, links, disorders, seed) => {
        const { records, crashed } = runSim(
          { scenario: crossing(lead, links, disorders), seed },
          { codec: sizedCodec, crypto: nullCrypto },
        );
        expect(crashed).toBeUndefined();
        const during = records.filter((one) => one.t < 12_000_000);
        const calls = during.filter((one): one is typeof one & CallRecord => one.ev === "call");
        const last = ["alice", "bob"].map((who) => calls.findLast((one) => one.who === who));
        expect(last.map((one) => one?.state)).toEqual(["active", "active"]);
        expect(last[0]?.call).toBe(last[1]?.call);
        for (const who of ["alice", "bob"]) {
          const late = during.filter(
            (one) => one.who === who && one.ev === "media-played" && one.kind === "source" && one.t > 9_000_000,
          );
          expect(late.length, `${who} hears`).toBeGreaterThan(0);
        }
        for (const held of records) if (held.ev === "held") expect(held).toMatchObject({ sessions: 0, calls: 0, supervisors: 0 });
        if (calls.some((one) => one.state === "ended" && one.reason === "glare")) crossed++;
      },
    ),
    { seed: 31, numRuns: 120 },
  );
  expect(crossed).toBeGreaterThan(30);
});

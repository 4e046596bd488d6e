import { afterAll, describe, expect, it } from "vitest";
import { loadRnnoise } from "../impl/io/rnnoise.ts";
import { CATALOGUE } from "../scenarios/catalogue.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { runSim } from "../sim/lab.ts";
import { nullCrypto } from "../sim/null-crypto.ts";
import { sizedCodec } from "../sim/sized-codec.ts";
import { type LabJob, openLaboratory } from "./laboratory.ts";

const CASES = CATALOGUE.filter(({ tags }) => !tags.includes("long") && !tags.includes("crowd"));
/** Every case of half a minute in turn, 200 seeds that share nothing but their order. */
const RUNS: readonly { readonly scenario: Scenario; readonly seed: number }[] = Array.from({ length: 200 }, (_, i) => ({
  scenario: CASES[i % CASES.length] as Scenario,
  seed: 1 + i * 7_919,
}));
/** What a laboratory gives those who remove noise, whatever the codec. */
const noiseRemover = await loadRnnoise();
const hashOf = (scenario: Scenario, seed: number): string =>
  runSim({ scenario, seed, keep: false }, { codec: sizedCodec, crypto: nullCrypto, noiseRemover }).hash;
const job = (scenario: Scenario, seed: number, mode: "fast" | "real"): LabJob => ({
  lab: "sim",
  scenario,
  seed,
  codec: mode === "real" ? "real" : "sized",
  crypto: mode === "real" ? "real" : "null",
  folder: null,
  dir: "",
  wantLines: false,
  commit: "",
  sabotage: null,
});

describe("the same seed gives the same log", () => {
  const laboratories = [openLaboratory(), openLaboratory()] as const;
  afterAll(() => Promise.all(laboratories.map((laboratory) => laboratory.close())));

  it("on every run, in any order, in whichever worker, over 200 seeds", async () => {
    const first = new Map(RUNS.map(({ scenario, seed }) => [seed, hashOf(scenario, seed)] as const));
    const again = await Promise.all(
      laboratories.map(async (laboratory, which) => {
        const hashes: [number, string][] = [];
        for (const { scenario, seed } of RUNS.filter((_, i) => i % 2 === which).toReversed()) {
          const { result } = await laboratory.run(job(scenario, seed, "fast"));
          hashes.push([seed, result.hash]);
        }
        return hashes;
      }),
    );
    expect(new Map(again.flat())).toEqual(first);
    expect(new Set(first.values()).size).toBe(RUNS.length);
  });

  it("with real Opus and real encryption too, whichever worker ran it and whatever it ran before", async () => {
    const some = CATALOGUE.slice(0, 3).map((scenario) => ({ scenario, seed: 99 }));
    const hashes = await Promise.all(
      laboratories.map(async (laboratory, which) => {
        const out = new Map<string, string>();
        for (const { scenario, seed } of which === 0 ? some : some.toReversed())
          out.set(scenario.name, (await laboratory.run(job(scenario, seed, "real"))).result.hash);
        return out;
      }),
    );
    expect(hashes[0]).toEqual(hashes[1]);
  });
});

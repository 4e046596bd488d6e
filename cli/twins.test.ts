/** Every scenario of the catalogue holds on the code as it is, and breaks in the oracle it names on the bug it names. */
import { afterAll, expect, test } from "vitest";
import { CATALOGUE } from "../scenarios/catalogue.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { MUTATIONS } from "../scenarios/mutations.ts";
import { componentOf, partsOf } from "./bench-cause.ts";
import { type Laboratory, type LabReport, openLaboratory } from "./laboratory.ts";
import { DEFAULT_SEED } from "./seed.ts";

/** Where the cause lines of the twins pointed. */
const pointed: { readonly mutation: string; readonly to: string | undefined; readonly says: string | undefined }[] = [];

/** The code as it is, for all cases. */
const sound = openLaboratory();
/** The code with the mutation at hand: cases with one twin share a thread, because loading the code takes longer than most runs. */
let sabotaged: { readonly mutation: string; readonly laboratory: Laboratory } | undefined;
afterAll(() => Promise.all([sound.close(), sabotaged?.laboratory.close()]));

async function laboratoryOf(mutation: string | null): Promise<Laboratory> {
  if (mutation === null) return sound;
  if (sabotaged?.mutation !== mutation) {
    await sabotaged?.laboratory.close();
    sabotaged = { mutation, laboratory: openLaboratory(mutation) };
  }
  return sabotaged.laboratory;
}

async function runIn(scenario: Scenario, mutation: string | null): Promise<LabReport> {
  return (await laboratoryOf(mutation)).run({
    lab: "sim",
    scenario,
    seed: DEFAULT_SEED,
    codec: "sized",
    // Cases of a minute or of a crowd are not about what is sealed.
    crypto: scenario.tags.some((tag) => tag === "long" || tag === "crowd") ? "null" : "real",
    folder: null,
    dir: "out",
    wantLines: false,
    commit: "unknown",
    sabotage: mutation,
  });
}

/** Cases with one twin are neighbours. */
const byTwin = CATALOGUE.toSorted((a, b) => (a.twin?.mutation ?? "").localeCompare(b.twin?.mutation ?? ""));

test.each(byTwin)("$name holds, and its twin is broken where it says", async (scenario) => {
  const { result } = await runIn(scenario, null);
  expect(result.verdict, result.cause).toBe("held");
  const { twin } = scenario;
  if (twin === null) throw new Error(`${scenario.name} has no twin`);
  const { result: sabotaged } = await runIn(scenario, twin.mutation);
  expect(sabotaged.verdict, sabotaged.cause).toBe("broken");
  const broken = sabotaged.oracles.filter((oracle) => oracle.verdict === "broken").map((oracle) => oracle.name);
  expect(broken).toContain(twin.breaks);
  pointed.push({ mutation: twin.mutation, to: sabotaged.culprit?.component, says: sabotaged.culprit?.sentence });
});

test("of ten twins the cause line names the right part of the system in at least nine", () => {
  const right = pointed.filter(({ mutation: name, to }) => {
    const mutation = MUTATIONS.get(name);
    return mutation !== undefined && partsOf(mutation, componentOf(name)).includes(to);
  });
  const wrong = pointed.filter((one) => !right.includes(one));
  expect(pointed.length).toBeGreaterThanOrEqual(10);
  expect(right.length / pointed.length, JSON.stringify(wrong)).toBeGreaterThanOrEqual(0.9);
  for (const { says } of pointed) expect(says).toMatch(/^[A-Z].*[a-z1].* .*\.$/s);
});

test("an unknown mutation is refused before anything runs", async () => {
  const [scenario] = CATALOGUE.values();
  if (scenario === undefined) throw new Error("the catalogue is empty");
  await expect(runIn(scenario, "no-such-bug")).rejects.toThrow(/no-such-bug/);
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { resultSchema, type Speech } from "../reports/result.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { expectConnect, scenario } from "../scenarios/index.ts";
import { runJob } from "./lab-job.ts";

/** Six seconds between two homes; packets are lost at bob's, both ways. */
const short = (loss: number): Scenario =>
  scenario({
    name: "heard",
    asks: "How far is what is heard from what was said?",
    duration: "6s",
    parties: { alice: {}, bob: loss === 0 ? {} : { link: { delay: "20ms", loss } }, r1: { role: "relay" } },
    expect: [expectConnect()],
  });

async function speechOf(scenario: Scenario, codec: "real" | "sized" = "real"): Promise<Speech | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "midcall-speech-"));
  try {
    const job = { lab: "sim", scenario, seed: 1, codec, crypto: "null", folder, dir: folder, wantLines: false } as const;
    const watch = { signal: new AbortController().signal, progress: () => undefined };
    const { result } = await runJob({ ...job, commit: "", sabotage: null }, watch);
    expect(resultSchema.parse(result)).toEqual(result);
    return result.speech;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("without loss what is heard is what was said, but for the few milliseconds of a stretch; with loss it is further from it", async () => {
  const [clean, lossy] = [await speechOf(short(0)), await speechOf(short(0.2))];
  if (clean === undefined || lossy === undefined || !("parties" in clean && "parties" in lossy)) throw new Error("not compared");
  for (const party of ["alice", "bob"]) {
    expect(clean.parties[party]).toMatchObject({ stoi: expect.toSatisfy((stoi: number) => stoi > 0.995) });
    expect(clean.parties[party]).toMatchObject({ lsdDb: expect.toSatisfy((lsdDb: number) => lsdDb < 0.3) });
    expect(clean.parties[party]).toMatchObject({ comparedMs: expect.toSatisfy((ms: number) => ms > 4_000) });
  }
  for (const party of ["alice", "bob"])
    expect(lossy.parties[party]).toMatchObject({
      stoi: expect.toSatisfy((stoi: number) => stoi > 0.6 && stoi < 0.98),
      lsdDb: expect.toSatisfy((lsdDb: number) => lsdDb > 1),
    });
});

test("where there is nothing to compare the result says why", async () => {
  expect(await speechOf(short(0), "sized")).toEqual({ absent: "the sized codec has no audio" });
  const whole = short(0);
  const { alice, ...others } = whole.parties;
  const speech = await speechOf({
    ...whole,
    parties: { alice: { ...alice, tier: "degraded" }, ...others } as Scenario["parties"],
  });
  expect(JSON.stringify(speech)).toContain("packets of several frames");
});

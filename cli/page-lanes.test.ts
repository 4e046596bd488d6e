/** Lanes of report.html that most runs leave empty, from runs that fill them: what a sender speaks in, direct paths, and the ladder of candidate generations; each held against the run's log. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LogRecord } from "../impl/base/record.ts";
import type { PageBar, PageData } from "../reports/page/data.ts";
import { readLog } from "../reports/read-log.ts";
import { expectConnect, impair, scenario } from "../scenarios/index.ts";
import { midcall } from "./recorded-terminal.fixture.ts";

const FAST = ["--codec", "sized", "--crypto", "null"];
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcall-lanes-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Made = { readonly data: PageData; readonly records: readonly LogRecord[]; readonly html: string };

async function made(word: string, name: string): Promise<Made> {
  const { err } = await midcall(folder, ["run", word, ...FAST]);
  expect(err).not.toContain("midcall:");
  const file = (path: string): Promise<string> => readFile(join(folder, "out", name, "sim-0x1", path), "utf8");
  const html = await file("report.html");
  const data = JSON.parse(/<script type="application\/json" id="run-data">(.*?)<\/script>/s.exec(html)?.[1] ?? "") as PageData;
  return { data, html, records: readLog(await file("run.ndjson")).records };
}

/** The bars of a lane as [from, to, label]. */
const bars = ({ data }: Made, party: string, name: string): (readonly [number, number, string])[] =>
  (data.lanes.find((lane) => lane.party === party && lane.name === name)?.bars ?? []).map(
    ([from, to, , , label]: PageBar) => [from, to, label] as const,
  );

/** Each change of `words` with the instant of the next one, or of the axis' end, as its end. */
const spans = (steps: readonly (readonly [number, string])[], end: number): (readonly [number, number, string])[] =>
  steps
    .map(([from, word], i) => [from, Math.min(end, steps[i + 1]?.[0] ?? end), word] as const)
    .filter(([from, to], i) => to > from || i === steps.length - 1);

test("what a sender speaks in: each tier from when it was chosen to when it was left, with the reason of the log", async () => {
  const narrow = scenario({
    name: "narrow",
    asks: "What does a sender speak in when its way out becomes narrow for six seconds?",
    duration: "30s",
    parties: { alice: { tier: "adaptive" }, bob: {}, r1: { role: "relay" } },
    faults: [impair("alice", { at: "4s", for: "6s", link: { rate: "24kbit" } })],
    expect: [expectConnect()],
  });
  await writeFile(join(folder, "narrow.json"), JSON.stringify(narrow));
  const run = await made("./narrow.json", "narrow");
  const told = run.records.filter((one) => one.ev === "tier" && one.who === "alice");
  const steps = told.map((one) => [one.t, one.ev === "tier" ? one.tier : ""] as const);
  expect(new Set(steps.map(([, tier]) => tier))).toEqual(new Set(["good", "degraded", "catastrophic"]));
  expect(bars(run, "alice", "speaks")).toEqual(spans(steps, run.data.end));
  expect(bars(run, "bob", "speaks"), "whose tier is not chosen has no such lane").toEqual([]);
  const reasons = run.data.lanes
    .find((lane) => lane.party === "alice" && lane.name === "speaks")
    ?.bars.map(([, , , title]) => title);
  for (const [i, one] of told.entries())
    if (one.ev === "tier" && i < told.length - 1) expect(reasons?.[i]).toContain(`${one.tier}: ${one.coding}, ${one.reason}`);
});

test("paths and candidate generations: the lanes say what the log says, and every step is on the ladder", async () => {
  const run = await made("stale-update", "stale-update");
  // A path that is chosen again, as after a change of networks, goes on.
  const paths = (who: string): (readonly [number, string])[] =>
    run.records
      .flatMap((one) => (one.ev === "path" && one.who === who ? [one] : []))
      .filter((one, i, all) => one.path !== all[i - 1]?.path || one.candidate !== all[i - 1]?.candidate)
      .map((one) => [one.t, one.path] as const);
  for (const who of ["alice", "bob"]) {
    const shown = bars(run, who, "sends by");
    expect(shown.map(([from, , label]) => [from, label])).toEqual(
      spans(paths(who), run.data.end).map(([from, , word]) => [from, word]),
    );
    expect(shown.some(([, , label]) => label === "direct")).toBe(true);
    // At every instant the best of the attempts that were told of so far.
    const states = new Map<number, string>();
    for (const one of run.records) {
      if (one.ev !== "candidate-pair" || one.who !== who) continue;
      states.set(one.session, one.state === "migrated" ? "succeeded" : one.state);
      const later = run.records.some(
        (next) => next.ev === "candidate-pair" && next.who === who && next.t === one.t && next !== one,
      );
      if (later || one.t >= run.data.end) continue;
      const best = ["succeeded", "in-progress", "failed", "closed"].find((word) => [...states.values()].includes(word));
      const shownThen = bars(run, who, "direct path").find(([from, to]) => from <= one.t && one.t < to);
      expect(shownThen?.[2], `${who} at ${one.t}`).toBe(best);
    }
    expect(states.size).toBeGreaterThan(0);
  }
  const rungs = run.records.flatMap((one) =>
    one.ev === "generation" ? [{ at: one.t, party: one.who, action: one.action, generation: one.generation }] : [],
  );
  expect(run.data.ladder).toEqual(rungs);
  expect(new Set(rungs.map(({ action }) => action))).toEqual(new Set(["sent", "delivered", "applied", "refused"]));
  // Readers without scripts have the table of both.
  expect(run.html).toContain("Candidate updates applied / refused as stale");
});

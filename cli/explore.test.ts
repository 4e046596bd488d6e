/** `midcall explore`, `shrink` and `mutants` from end to end: a planted bug is found, made small, and shown again by replay. */
import { readFileSync } from "node:fs";
import { copyFile, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Campaign } from "../reports/campaign.ts";
import { PROBES } from "../reports/probes.ts";
import type { Result } from "../reports/result.ts";
import { CATALOGUE } from "../scenarios/catalogue.ts";
import type { Fault, Scenario } from "../scenarios/expanded.ts";
import { parseScenario } from "../scenarios/language.ts";
import { EXIT } from "./exit.ts";
import { fastJob } from "./explore/campaign.ts";
import { openLaboratory } from "./laboratory.ts";
import { midcall } from "./recorded-terminal.fixture.ts";
import { breaks, shrink, targetOf } from "./shrink/shrink.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcall-explore-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const byName = (name: string): Scenario => CATALOGUE.find((one) => one.name === name) as Scenario;
const ms = (value: number): number => value * 1_000;

/** Nine faults, of which the planted bug needs one: that the relay dies. */
const CROWDED: readonly Fault[] = [
  {
    kind: "impair",
    target: "bob",
    interface: "eth0",
    direction: "up",
    link: { loss: 0.07 },
    when: { at: ms(4_137) },
    for: ms(311),
  },
  { kind: "pause", target: "alice", when: { at: ms(4_411) }, for: ms(90) },
  { kind: "blackout", target: "alice", interface: "eth0", direction: "up", when: { at: ms(4_803) }, for: ms(77) },
  { kind: "kill", target: "r1", when: { at: ms(5_217) }, for: ms(1_373) },
  {
    kind: "impair",
    target: "alice",
    interface: "eth0",
    direction: "both",
    link: { duplicate: 0.3 },
    when: { at: ms(7_219) },
    for: ms(500),
  },
  { kind: "blackout", target: "bob", interface: "eth0", direction: "down", when: { at: ms(8_019) }, for: ms(61) },
  { kind: "pause", target: "bob", when: { at: ms(8_499) }, for: ms(45) },
  { kind: "blackout", target: "bob", interface: "eth0", direction: "both", when: { at: ms(9_201) }, for: ms(33) },
  { kind: "pause", target: "r1", when: { at: ms(9_607) }, for: ms(21) },
];

describe("shrinking a planted bug", () => {
  it("leaves the one fault it needs, with human numbers", async () => {
    const laboratory = openLaboratory("call-forgotten-on-reconnect");
    try {
      const scenario: Scenario = {
        ...byName("relay-restart"),
        faults: CROWDED,
        expect: [{ oracle: "media-recovers", within: ms(500), from: "heal" }, { oracle: "same-call" }],
      };
      const run = async (candidate: Scenario): Promise<Result> => (await laboratory.run(fastJob(candidate, 3))).result;
      const first = await run(scenario);
      const target = targetOf(first);
      if (target === undefined) throw new Error(`nothing broken: ${first.cause}`);
      expect(target.oracle).toBe("media-recovers");
      const shrunk = await shrink(scenario, first, target, run);
      const [fault, ...others] = shrunk.scenario.faults;
      expect(others).toEqual([]);
      expect(fault).toMatchObject({ kind: "kill", target: "r1" });
      const at = fault !== undefined && "at" in fault.when ? fault.when.at : 1;
      expect([at % ms(100), (fault?.for ?? 1) % ms(10)]).toEqual([0, 0]);
      expect(shrunk.scenario.duration).toBeLessThan(scenario.duration);
      expect(breaks(shrunk.result, target)).toBe(true);
    } finally {
      await laboratory.close();
    }
  });

  it("comes to the same outcome by the same way every time", async () => {
    const scenario: Scenario = { ...byName("relay-restart"), faults: CROWDED };
    // Broken while the relay is dead for more than half a second.
    const run = async ({ faults }: Scenario): Promise<Result> => {
      const isBroken = faults.some((one) => one.kind === "kill" && (one.for ?? 0) > ms(500));
      const oracle = { name: "media-recovers", verdict: isBroken ? "broken" : "held", detail: "" };
      return { oracles: [oracle], conditions: [] } as unknown as Result;
    };
    const target = { oracle: "media-recovers", words: undefined };
    const made: Scenario[][] = [[], []];
    const [one, two] = await Promise.all(
      made.map((candidates) =>
        run(scenario).then((first) =>
          shrink(scenario, first, target, (candidate) => {
            candidates.push(candidate);
            return run(candidate);
          }),
        ),
      ),
    );
    expect(two).toEqual(one);
    expect(made[1]).toEqual(made[0]);
    expect(one?.scenario.faults).toMatchObject([{ kind: "kill" }]);
  });

  it("keeps to the oracle: a scenario that breaks another one is no smaller version of it", () => {
    const result = (name: string, detail: string): Result =>
      ({ oracles: [{ name, verdict: "broken", detail }] }) as unknown as Result;
    const target = { oracle: "nothing-crashed", words: "r# is started while it runs" };
    expect(targetOf(result("nothing-crashed", "r1 is started while it runs"))).toEqual(target);
    expect(breaks(result("nothing-crashed", "r2 is started while it runs"), target)).toBe(true);
    expect(breaks(result("nothing-crashed", "time stands still at 5"), target)).toBe(false);
    expect(breaks(result("same-call", "r1 is started while it runs"), target)).toBe(false);
  });
});

describe("midcall explore", () => {
  it("holds on the code as it is for seeds known to hold, alike with one worker and with two, and says what it did", async () => {
    const explore = (workers: number) =>
      midcall(folder, [
        ...["explore", "baseline", "nat-rebind", "--seeds", "8", "--from", "2000", "--swarm", "--json"],
        ...["--workers", `${workers}`],
      ]);
    const [one, two] = [await explore(1), await explore(2)];
    expect(one.code, one.out).toBe(EXIT.held);
    const without = ({ out }: { out: string }): object => ({ ...JSON.parse(out), wallMs: 0 });
    expect(without(two)).toEqual(without(one));
    expect(JSON.parse(one.out)).toMatchObject({ runs: 8, repeated: 1, violations: [], scenarios: ["baseline", "nat-rebind"] });
    expect(one.stages.at(-1)).toMatch(
      /^explored 8 of 8 seeds, \d+ seeds\/s, [\d.]+ virtual hours, 0 violations, \d+ of \d+ probes$/,
    );
    const { probes } = JSON.parse(one.out);
    expect(Object.keys(probes)).toEqual(PROBES.map(({ name }) => name));
    expect(probes["nat-moved-in-call"]).toBeGreaterThan(0);
    expect(probes["call-nobody-answers"]).toBe(0);
    // The page beside: the same runs, probes and command, whoever made them.
    const [first, second] = await Promise.all(
      ["explore-0x7d0", "explore-0x7d0-2"].map(async (name) => ({
        told: JSON.parse(await readFile(join(folder, "out/campaigns", name, "campaign.json"), "utf8")) as Campaign,
        html: await readFile(join(folder, "out/campaigns", name, "campaign.html"), "utf8"),
      })),
    );
    expect(first?.told.runs.map(({ seed }) => Number(seed))).toEqual([2000, 2001, 2002, 2003, 2004, 2005, 2006, 2007]);
    expect(second?.told.runs).toEqual(first?.told.runs);
    expect(first?.html).toContain("8 runs of 2 explored cases");
    expect(first?.html).toContain("npx midcall explore baseline nat-rebind --seeds 8 --from 2000 --swarm --json --workers 1");
    const hit = Object.entries(probes).filter(([, n]) => n !== 0);
    expect(first?.html).toContain(`${hit.length} of ${PROBES.length} probes hit; never: `);
    for (const [name] of hit) expect(first?.html).toContain(`>${name}</th><td class="wide" data-head="What it is">`);
  });

  it("finds a promise that cannot be kept, and what it writes shrinks and replays", async () => {
    // The case's own faults do not matter to exploration, but its plan does: an answer that is refused while it is promised to connect.
    const never = {
      ...byName("baseline"),
      name: "never-up",
      twin: null,
      calls: byName("baseline").calls.map((call) => ({ ...call, relay: "r2" })),
    };
    const parties = { ...never.parties, r2: never.parties.r1 };
    const parsed = parseScenario({
      ...never,
      parties,
      calls: [...never.calls, { ...never.calls[0], caller: "bob", callee: "alice", relay: "r1" }],
    });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    await writeFile(join(folder, "never-up.json"), JSON.stringify(parsed.scenario));
    const said = await midcall(folder, ["explore", "./never-up.json", "--seeds", "40", "--stop-after", "1", "--workers", "1"]);
    expect(said.code, said.out).toBe(EXIT.broken);
    expect(said.out).toMatch(/^FAIL never-up {2}oracle=/);
    const dir = /replay: npx midcall replay (\S+)\/scenario\.json/.exec(said.out)?.[1] ?? "";
    const result: Result = JSON.parse(await readFile(join(folder, dir, "result.json"), "utf8"));
    expect([result.verdict, result.codec, result.crypto]).toEqual(["broken", "real", "real"]);
    // The campaign's page leads to the run that was kept, under the reason it broke for.
    const page = /campaign: (\S+)/.exec(said.out)?.[1] ?? "";
    const html = await readFile(join(folder, page), "utf8");
    const href = /<article class="reason broken">.*?<a href="([^"]*)"/s.exec(html)?.[1] ?? "";
    expect(resolve(folder, page, "..", href)).toBe(resolve(folder, dir, "report.html"));
    expect(html).toContain(`npx midcall shrink ${dir}/scenario.json`);
    // By the name of a link to it, as `out/latest` is: the result lies beside the run itself.
    await symlink(basename(dir), join(folder, dirname(dir), "newest"));
    const shrunk = await midcall(folder, ["shrink", join(dirname(dir), "newest/scenario.json"), "--no-netns"]);
    expect(shrunk.code, shrunk.err).toBe(EXIT.held);
    const repro = await readFile(join(folder, `${dir}-shrunk`, "repro.txt"), "utf8");
    expect(repro).toBe(`${shrunk.out}\n`);
    expect(repro).toContain("netns: not tried: --no-netns");
    expect(shrunk.out).toMatch(/^FAIL never-up .*\nshrunk \d+ -> \d+ faults in \d+ runs\n/);
    const replayed = await midcall(folder, ["replay", `${dir}-shrunk`]);
    expect(replayed.code, replayed.out).toBe(EXIT.held);
    await copyFile(join(folder, `${dir}-shrunk`, "scenario.json"), join(folder, "kept.0x2.json"));
    const alone = await midcall(folder, ["replay", "kept.0x2.json"]);
    expect(alone.out).toMatch(/^broken {2}never-up {2}sim {2}seed 0x2\n {2}\S.*\n {2}hash [0-9a-f]{16}: the same twice\n/);
    expect(alone.code).toBe(EXIT.broken);
  });

  it("stops when it is interrupted, and says what it has", async () => {
    const controller = new AbortController();
    const words = ["explore", "baseline", "--seeds", "40", "--workers", "1"];
    // The second thing it says is that a tenth is done.
    const said = await midcall(folder, words, controller.signal, "", (stage) => {
      if (/^explored [1-9]/.test(stage)) controller.abort();
    });
    expect(said.code).toBe(EXIT.interrupted);
    expect(said.out).toMatch(/^explored \d+ seeds .*of baseline/);
    const page = /^campaign: (\S+)$/m.exec(said.out)?.[1] ?? "";
    const told = JSON.parse(await readFile(join(folder, page, "../campaign.json"), "utf8"));
    expect(told.interrupted).toEqual({ of: 40 });
    expect(told.runs).toHaveLength(4);
  });
});

describe("midcall mutants", () => {
  it("names the oracle and the case that catch a mutation, and exits with 1 for one that nobody catches", async () => {
    const caught = await midcall(folder, ["mutants", "relay-restart", "--only", "call-forgotten-on-reconnect", "--json"]);
    expect(caught.code, caught.out).toBe(EXIT.held);
    expect(JSON.parse(caught.out)).toMatchObject([
      { mutation: "call-forgotten-on-reconnect", caught: { case: "relay-restart", oracle: "media-recovers" } },
    ]);
    const survives = await midcall(folder, ["mutants", "baseline", "--only", "call-forgotten-on-reconnect", "--explore", "0"]);
    expect(survives.code, survives.out).toBe(EXIT.broken);
    expect(survives.out).toContain("SURVIVES");
    const page = await readFile(join(folder, /campaign: (\S+)/.exec(survives.out)?.[1] ?? ""), "utf8");
    expect(page).toMatch(/<article class="reason broken"><h3>call-forgotten-on-reconnect /);
    const caughtPage = await readFile(join(folder, /campaign: (\S+)/.exec(caught.err)?.[1] ?? ""), "utf8");
    for (const words of ["1 of 1 bugs were noticed", "media-recovers", "relay-restart"]) expect(caughtPage).toContain(words);
  });

  it("leaves its page and its matrix of what was tried when it is interrupted, and the matrix whatever ends it", async () => {
    const controller = new AbortController();
    const file = join(folder, "cut.txt");
    const [first, second] = ["call-forgotten-on-reconnect", "share-signature-unchecked"];
    const words = ["mutants", "relay-restart", "relay-in-the-middle", "--only", first, "--only", second];
    let written = "";
    const said = await midcall(
      folder,
      [...words, "--workers", "1", "--explore", "0", "--matrix", file],
      controller.signal,
      "",
      (stage) => {
        if (!stage.startsWith("1 of 2: ")) return;
        // A process that is killed here has left this.
        written = readFileSync(file, "utf8");
        controller.abort();
      },
    );
    expect(said.code).toBe(EXIT.interrupted);
    expect(written).toMatch(new RegExp(`^${first} +impl/core/\\S+ +media-recovers +relay-restart `, "m"));
    expect(written).not.toContain(second);
    expect(await readFile(file, "utf8")).toBe(written);
    expect(said.out).toMatch(/^1 of 1 caught$/m);
    const page = /^campaign: (\S+)$/m.exec(said.out)?.[1] ?? "";
    const told = JSON.parse(await readFile(join(folder, page, "../campaign.json"), "utf8"));
    expect(told.interrupted).toEqual({ of: 2 });
    expect(told.mutations.map((one: { mutation: string }) => one.mutation)).toEqual([first]);
    expect(await readFile(join(folder, page), "utf8")).toMatch(/interrupted/i);
  });

  it("with --stale tries a mutation again only while its line is missing or was made of something else", async () => {
    const tried = async (): Promise<string[]> => {
      const words = [
        "relay-in-the-middle",
        "--only",
        "share-signature-unchecked",
        "--matrix",
        "matrix.txt",
        "--stale",
        "--json",
        "--explore",
        "0",
      ];
      const said = await midcall(folder, ["mutants", ...words]);
      return JSON.parse(said.out).map((one: { mutation: string }) => one.mutation);
    };
    expect(await tried()).toEqual(["share-signature-unchecked"]);
    expect(await tried()).toEqual([]);
    const made = await readFile(join(folder, "matrix.txt"), "utf8");
    await writeFile(join(folder, "matrix.txt"), made.replace(/[0-9a-f]{8}$/m, "00000000"));
    expect(await tried()).toEqual(["share-signature-unchecked"]);
    expect((await midcall(folder, ["mutants", "--stale"])).err).toMatch(/^midcall: --stale: .*; want --matrix <file> too$/m);
  });
});

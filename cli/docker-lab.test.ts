/**
 * The laboratory in containers: the same scenarios as in sim and in plain namespaces, judged by the same oracles, with the relay and every client in a container
 * of its own. In real time, two runs at once, with a Docker daemon that is started for this where none runs.
 */
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { anyDaemon, type Daemon, isDaemonInstalled } from "../netns/docker/daemon.ts";
import { dockerLacks } from "../netns/docker/docker-lacks.ts";
import { lacks } from "../netns/install.ts";
import { readLog } from "../reports/read-log.ts";
import type { Result } from "../reports/result.ts";
import { CATALOGUE } from "../scenarios/catalogue.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { expectHeld } from "./kept-up.fixture.ts";
import { openLaboratory } from "./laboratory.ts";
import { inLanes } from "./lanes.fixture.ts";
import { lacksPrometheus, type ScrapedRun, scrapedRun } from "./scraped-run.fixture.ts";
import { DEFAULT_SEED } from "./seed.ts";

/**
 * chosen: a call, a process that dies and comes back into its network, one that freezes, and a NAT that changes under a container. The links are those of plain
 * namespaces, whose suite has the rest. With MIDCALL_WHOLE_CATALOGUE=1 all cases, in a quarter of an hour.
 */
const CASES: readonly string[] =
  process.env.MIDCALL_WHOLE_CATALOGUE === "1"
    ? CATALOGUE.map((one) => one.name)
    : ["baseline", "relay-restart", "relay-pause", "nat-rebind"];
/** chosen: as many as two processors carry. baseline alone: a gap of a few frames is too long for it. */
const AT_ONCE = 2;
const ALONE: readonly string[] = ["baseline"];
/** The one that a Prometheus follows. */
const SCRAPED = "relay-restart";
/** chosen: a minute a case, three times what it takes. */
const LIMIT_MS: number = CASES.length * 60_000;

const found = [...(await lacks()), ...(isDaemonInstalled() ? [] : await dockerLacks())];
const missing = found.map((lack) => `${lack.what}${lack.command === null ? "" : ` (${lack.command})`}`).join("; ");
const results = new Map<string, Result | Error>();
const noPrometheus = await lacksPrometheus();
let scraped: ScrapedRun<Result> | undefined;
let folder = "";
let daemon: Pick<Daemon, "stop"> | undefined;

async function run(scenario: Scenario): Promise<Result> {
  const own = join(folder, scenario.name);
  await mkdir(own);
  // Opened when DOCKER_HOST says where the daemon is: the laboratory's thread has the environment of this moment.
  const laboratory = openLaboratory();
  try {
    const job = { lab: "docker", scenario, seed: DEFAULT_SEED, codec: "real", crypto: "real", folder: own, dir: own } as const;
    const all = { ...job, wantLines: false, commit: "", sabotage: null };
    if (scenario.name !== SCRAPED || noPrometheus !== "") return (await laboratory.run(all)).result;
    const data = join(folder, "prometheus");
    scraped = await scrapedRun(data, async (metrics) => (await laboratory.run({ ...all, metrics })).result);
    return scraped.ended;
  } finally {
    await laboratory.close();
  }
}

beforeAll(async () => {
  if (missing !== "") return;
  daemon = await anyDaemon();
  folder = await mkdtemp(join(tmpdir(), "midcall-docker-"));
  const chosen = CATALOGUE.filter((one) => CASES.includes(one.name)).sort((a, b) => b.duration - a.duration);
  const isAlone = (one: Scenario): boolean => ALONE.includes(one.name);
  const together = await inLanes(
    chosen.filter((one) => !isAlone(one)),
    AT_ONCE,
    run,
  );
  const alone = await inLanes(chosen.filter(isAlone), 1, run);
  for (const [one, ran] of [...together, ...alone]) results.set(one.name, ran);
}, LIMIT_MS);

afterAll(async () => {
  await scraped?.close();
  await daemon?.stop();
  if (folder !== "") await rm(folder, { recursive: true, force: true });
}, LIMIT_MS);

test.for(CASES)("%s holds in containers", (name, context) => {
  context.skip(missing !== "", missing);
  const result = results.get(name);
  if (result === undefined || result instanceof Error) throw result ?? new RangeError(`${name}: not in the catalogue`);
  expect(result.lab).toBe("docker");
  expectHeld(result, context);
});

test("a run in containers is scraped live by a real Prometheus, its fault with it", async (context) => {
  context.skip(missing !== "" || noPrometheus !== "", `${missing} ${noPrometheus}`);
  const result = results.get(SCRAPED);
  if (scraped === undefined || result === undefined || result instanceof Error) throw result ?? new Error("nothing was scraped");
  const run = `run=~"${SCRAPED}/.+"`;
  const sent = await scraped.over(`midcall_client_sent_frames_total{${run}}`);
  expect([...sent.keys()].toSorted()).toEqual(["alice", "bob"]);
  for (const { samples } of sent.values()) {
    const values = samples.map(([, value]) => value);
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    expect(new Set(values).size).toBeGreaterThan(2);
  }
  const starts = await scraped.over(`midcall_process_starts_total{${run}}`);
  expect(starts.get("r1")?.samples.at(-1)?.[1]).toBe(2);
});

test("a fault done by hand strikes a run in containers, is in its log and in its scenario", async (context) => {
  context.skip(missing !== "", missing);
  const baseline = CATALOGUE.find(({ name }) => name === "baseline");
  if (baseline === undefined) throw new RangeError("baseline: not in the catalogue");
  const own = join(folder, "by-hand");
  await mkdir(own);
  const laboratory = openLaboratory();
  let isStruck = false;
  try {
    const job = {
      lab: "docker",
      scenario: baseline,
      seed: DEFAULT_SEED,
      codec: "real",
      crypto: "real",
      folder: own,
      dir: own,
    } as const;
    const { result } = await laboratory.run(
      { ...job, wantLines: false, commit: "", sabotage: null },
      {
        // What the buttons of the live page do, once there is a call to lose.
        notice: (lines) => {
          if (isStruck || !lines.some((line) => line.includes("call active"))) return;
          isStruck = true;
          laboratory.inject({ kind: "kill", target: "r1", for: 2_000_000, when: { at: 0 } });
        },
      },
    );
    expect(result.conditions).toMatchObject([{ fault: "kill r1", observed: { processKilled: true, processRestarted: true } }]);
  } finally {
    await laboratory.close();
  }
  const scenario: Scenario = JSON.parse(await readFile(join(own, "scenario.json"), "utf8"));
  const { records } = readLog(await readFile(join(own, "run.ndjson"), "utf8"));
  const struck = records.filter((one) => one.ev === "fault");
  expect(struck.map(({ fault, kind, target, state }) => [fault, kind, target, state])).toEqual([
    [0, "kill", "r1", "applied"],
    [0, "kill", "r1", "healed"],
  ]);
  expect(scenario.faults).toMatchObject([{ kind: "kill", target: "r1", for: 2_000_000, when: { at: struck[0]?.t } }]);
});

test("without a daemon it says so, and how to get one, and leaves nothing in the run's folder", async (context) => {
  const lack = await lacks();
  context.skip(lack.length > 0, lack[0]?.what);
  const before = process.env.DOCKER_HOST;
  process.env.DOCKER_HOST = `unix://${join(tmpdir(), "no-such-docker.sock")}`;
  const lab = openLaboratory();
  const folder = await mkdtemp(join(tmpdir(), "midcall-no-docker-"));
  try {
    const [scenario] = CATALOGUE;
    if (scenario === undefined) throw new RangeError("the catalogue is empty");
    const job = { lab: "docker", scenario, seed: DEFAULT_SEED, codec: "real", crypto: "real", folder, dir: folder } as const;
    await expect(lab.run({ ...job, wantLines: false, commit: "", sabotage: null })).rejects.toMatchObject({
      code: "lacking",
      message: expect.stringMatching(
        /^the docker laboratory needs a Docker daemon \(.* no such socket\); to get it: (apt-get|systemctl|start-stop-daemon) /,
      ),
    });
    expect(await readdir(folder)).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
    if (before === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = before;
    await lab.close();
  }
});

/** The dashboards with a real Prometheus, and what `midcall dashboards` says to its user. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { checkDashboards, isFailure, namesOf, spanOf } from "../dashboards/check.ts";
import { type Dashboard, series } from "../dashboards/panel.ts";
import { loadRun, type Prometheus, startPrometheus } from "../dashboards/prometheus.ts";
import type { Result } from "../reports/result.ts";
import { examine } from "./doctor.ts";
import { midcall, midcallProcess } from "./recorded-terminal.fixture.ts";

const execute = promisify(execFile);
const lacking = (await examine())
  .filter((check) => check.for === "dashboards" && !check.ok)
  .map((check) => `${check.part}: ${check.detail}`)
  .join("; ");

let scratch = "";
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "midcall-dashboards-test-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

test("check: every panel of every dashboard is answered by a real Prometheus, from runs and from scraped processes", async (context) => {
  if (lacking !== "") context.skip(lacking);
  const { code, out, err } = await midcall(scratch, ["dashboards", "check"]);
  expect(`${out}\n${err}`).toMatch(/^\d+ questions: \d{3} answered, \d+ about what the run does not have, 0 failed\n$/);
  expect(code).toBe(0);
});

test("a run that went into Prometheus says there what result.json says, and a question that is wrong fails the check", async (context) => {
  if (lacking !== "") context.skip(lacking);
  expect((await midcall(scratch, ["run", "relay-restart", "--json"])).code).toBe(0);
  const folder = join(scratch, "out/latest");
  const text = await readFile(join(folder, "metrics.om"), "utf8");
  const result = JSON.parse(await readFile(join(folder, "result.json"), "utf8")) as Result;
  const data = join(scratch, "prometheus");
  await loadRun(join(folder, "metrics.om"), data);
  const prometheus = await startPrometheus(data);
  onTestFinished(() => prometheus.close());
  const held = { run: "relay-restart/sim-0x1", ...spanOf(text), names: namesOf(text) };
  const value = async (expr: string): Promise<number | undefined> => {
    const asked = await prometheus.at(`last_over_time(${expr}[10m])`, held.to);
    return asked.ok ? asked.series[0]?.samples[0]?.[1] : undefined;
  };
  const of = (name: string, party: string): Promise<number | undefined> => value(`${name}{run="${held.run}",party="${party}"}`);
  for (const [party, audio] of Object.entries(result.measurements.audio)) {
    expect(await of("midcall_run_mos", party)).toBe(audio.mos);
    expect(await of("midcall_run_longest_gap_seconds", party)).toBeCloseTo(audio.longestGapMs / 1e3, 9);
    expect(await of("midcall_client_gap_seconds_count", party)).toBe(audio.gapCount);
    expect(await of("midcall_client_gap_seconds_sum", party)).toBeCloseTo(audio.totalGapMs / 1e3, 9);
  }
  for (const [party, network] of Object.entries(result.measurements.network))
    expect(await value(`midcall_udp_packets_total{run="${held.run}",party="${party}",direction="sent"}`)).toBe(
      network.sentPackets,
    );

  // 5 s into the run the relay is killed, 3 s later it is back: the fault is there in between, on the calendar of the run.
  const fault = await prometheus.over(`midcall_fault_active{run="${held.run}"} == 1`, held.from, held.to, 1);
  const times = fault.ok ? (fault.series[0]?.samples.map(([time]) => Math.round(time - held.from)) ?? []) : [];
  expect(times).toEqual([5, 6, 7]);

  const faulty = (expr: string): Dashboard => ({
    uid: "x",
    title: "x",
    description: "x.",
    variables: [],
    rows: [
      {
        title: "x",
        panels: [{ title: "x", description: "x.", kind: "lines", unit: "s", width: 8, targets: [{ expr, legend: "" }] }],
      },
    ],
  });
  const state = async (expr: string): Promise<string | undefined> =>
    (await checkDashboards(prometheus as Prometheus, [faulty(expr)], [held])).find((one) => one.panel === "x")?.state;
  expect(await state("rate(midcall_sessions{")).toBe("refused");
  expect(await state('midcall_sessions{party="nobody"}')).toBe("empty");
  expect(await state('midcall_client_generation{run=~"$run"}')).toBe("not told");
  expect(await state(series("midcall_sessions"))).toBe("filled");
  expect(["refused", "empty", "filled"].map((word) => isFailure({ state: word } as never))).toEqual([true, true, false]);
});

test("metrics.om and a scraped process's metrics have nothing that promtool finds wrong", async (context) => {
  if (lacking !== "") context.skip(lacking);
  const { openMetricsPort } = await import("../impl/io/metrics-port.ts");
  const { METRICS } = await import("../impl/base/metric/catalogue.ts");
  const port = await openMetricsPort({ host: "127.0.0.1", port: 0, sources: ["process", "relay", "client", "laboratory"] });
  onTestFinished(() => port.close());
  const text = await (await fetch(`http://${port.local}/metrics`)).text();
  for (const name of METRICS.keys()) expect(text).toContain(`# HELP ${name} `);
  const said = await new Promise<string>((resolve) => {
    const child = execFile("promtool", ["check", "metrics"], (error, stdout, stderr) =>
      resolve(error === null ? "" : stdout + stderr),
    );
    // prom-client's own names are its own affair.
    child.stdin?.end(
      `${text
        .split("\n")
        .filter((line) => line.includes("midcall_"))
        .join("\n")}\n`,
    );
  });
  expect(said).toBe("");
});

test("an empty folder is no run: one line, exit code 2", async () => {
  await mkdir(join(scratch, "empty"), { recursive: true });
  const { code, err } = await midcall(scratch, ["dashboards", "check", "empty"]);
  expect(code).toBe(2);
  expect(err).toMatch(/^midcall: empty: \S+ is not there; want a run's folder/);
});

test("without Prometheus: exit code 5 and the command that gets it", async () => {
  const { code, err } = await midcallProcess(scratch, ["dashboards", "check"], { env: { ...process.env, PATH: "/nowhere" } });
  expect(code).toBe(5);
  expect(err.trim().split("\n").at(-1)).toMatch(
    /^midcall: (prometheus|promtool) is not in the PATH; to get it: apt-get install -y --no-install-recommends prometheus$/,
  );
});

test("write: the files of both servers, with what is to be scraped and the ports that are wanted", async () => {
  const { code, out } = await midcall(scratch, ["dashboards", "--scrape", "127.0.0.1:9464", "--prometheus-port", "9191"]);
  expect(code).toBe(0);
  expect(out).toBe("compose file: out/dashboards/compose.yaml");
  const file = (path: string): Promise<string> => readFile(join(scratch, "out/dashboards", path), "utf8");
  const config = JSON.parse(await file("prometheus/prometheus.yml"));
  expect(config.scrape_configs[0].static_configs).toEqual([{ targets: ["127.0.0.1:9464"], labels: { run: "live" } }]);
  expect(JSON.parse(await file("grafana/provisioning/datasources/midcall.yaml")).datasources[0].url).toBe(
    "http://127.0.0.1:9191",
  );
  expect(JSON.parse(await file("compose.yaml")).services.prometheus.command).toContain("--web.listen-address=127.0.0.1:9191");
  if (lacking === "") {
    const { stdout } = await execute("promtool", ["check", "config", join(scratch, "out/dashboards/prometheus/prometheus.yml")]);
    expect(stdout).toContain("SUCCESS");
  }
});

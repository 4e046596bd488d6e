/**
 * Whether the dashboards work: every question of every panel is put to a real Prometheus that holds real runs. A question fails when Prometheus
 * refuses it, and when nothing comes back although the run has all the metrics it is about.
 */
import { FAULTS } from "./grafana.ts";
import { type Dashboard, isInstant, panelsOf } from "./panel.ts";
import type { Asked, Prometheus } from "./prometheus.ts";
import { SCRAPE_SECONDS } from "./prometheus-config.ts";

/** A run that Prometheus holds: its `run` label, its span in seconds since 1970, and the names of its series. */
export type HeldRun = {
  readonly run: string;
  readonly from: number;
  readonly to: number;
  readonly names: ReadonlySet<string>;
};

/** `filled`: series came. `not told`: the run lacks a metric of the question. The other two are failures. */
export type Finding = {
  readonly dashboard: string;
  readonly panel: string;
  readonly expr: string;
  readonly run: string;
  readonly state: "filled" | "not told" | "empty" | "refused";
  readonly detail: string;
};

/** Most points a range question asks for. chosen: about a screen's width, as Grafana does. */
const POINTS = 1_000;

/** Puts every question of `dashboards` about each run; a dashboard whose runs are chosen together is asked once about all. */
export async function checkDashboards(
  prometheus: Prometheus,
  dashboards: readonly Dashboard[],
  runs: readonly HeldRun[],
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const dashboard of dashboards) {
    const isTogether = dashboard.variables.some((one) => one.name === "run" && one.choice === "any");
    for (const run of isTogether ? [together(runs)] : runs) {
      const choices = await choicesOf(prometheus, dashboard, run);
      findings.push(...choices.findings);
      const put = (panel: string, expr: string, instant: boolean): Promise<Finding> =>
        ask(prometheus, { dashboard: dashboard.title, panel, template: expr, instant }, run, choices.words);
      for (const panel of panelsOf(dashboard))
        for (const { expr } of panel.targets) findings.push(await put(panel.title, expr, isInstant(panel.kind)));
      if (!isTogether) findings.push(await put("annotations", FAULTS, false));
    }
  }
  return findings;
}

/** Panels that no run filled: nobody has seen them work. */
export function neverFilled(findings: readonly Finding[]): readonly string[] {
  const filled = new Set(findings.filter((one) => one.state === "filled").map((one) => `${one.dashboard}: ${one.panel}`));
  return [...new Set(findings.map((one) => `${one.dashboard}: ${one.panel}`))].filter((name) => !filled.has(name));
}

export const isFailure = (finding: Finding): boolean => finding.state === "empty" || finding.state === "refused";

/** Several runs as one choice. */
function together(runs: readonly HeldRun[]): HeldRun {
  return {
    run: ".*",
    from: Math.min(...runs.map((run) => run.from)),
    to: Math.max(...runs.map((run) => run.to)),
    names: new Set(runs.flatMap((run) => [...run.names])),
  };
}

/** One question of a panel, with Grafana's variables in it. */
type Question = { readonly dashboard: string; readonly panel: string; readonly template: string; readonly instant: boolean };

async function ask(
  prometheus: Prometheus,
  { dashboard, panel, template, instant }: Question,
  run: HeldRun,
  words: ReadonlyMap<string, string>,
): Promise<Finding> {
  const step = Math.max(SCRAPE_SECONDS, Math.ceil((run.to - run.from) / POINTS));
  const expr = replaced(template, run, step, words);
  const asked = instant ? await prometheus.at(expr, run.to) : await prometheus.over(expr, run.from, run.to, step);
  const common = { dashboard, panel, expr, run: run.run };
  const missing = namesIn(template).filter((name) => !run.names.has(name));
  if (!asked.ok) return { ...common, state: "refused", detail: asked.reason };
  const samples = samplesOf(asked);
  if (samples > 0) return { ...common, state: "filled", detail: `${asked.series.length} series, ${samples} samples` };
  if (missing.length > 0) return { ...common, state: "not told", detail: `the run has no ${missing.join(", ")}` };
  // A run may tell a metric of other parties than those chosen.
  for (const name of template.includes("$party") ? namesIn(template) : []) {
    const chosen = replaced(`last_over_time(${name}{run=~"$run",party=~"$party"}[$__range])`, run, step, words);
    const known = await prometheus.at(chosen, run.to);
    if (known.ok && known.series.length === 0) return { ...common, state: "not told", detail: `no party chosen has ${name}` };
  }
  return { ...common, state: "empty", detail: "the run has all metrics of the question, and nothing came back" };
}

/** NaN is what Grafana cannot draw: a division of nothing by nothing is no answer. */
const samplesOf = (asked: Asked & { readonly ok: true }): number =>
  asked.series.reduce((sum, one) => sum + one.samples.filter(([, value]) => !Number.isNaN(value)).length, 0);

type Choices = { readonly findings: readonly Finding[]; readonly words: ReadonlyMap<string, string> };

/** What each choice at the top of a dashboard offers, which must be something; and what stands for all of it in a question. */
async function choicesOf(prometheus: Prometheus, dashboard: Dashboard, run: HeldRun): Promise<Choices> {
  const findings: Finding[] = [];
  const words = new Map<string, string>();
  for (const { name, metric, label, choice } of dashboard.variables) {
    const expr = `${metric}{run=~"${pattern(run.run)}"}`;
    const offered = await prometheus.words(label, expr, run.from, run.to);
    words.set(name, choice === "any" ? ".*" : offered.map(pattern).join("|"));
    const state = offered.length > 0 ? "filled" : run.names.has(metric) ? "empty" : "not told";
    const detail = offered.join(", ");
    findings.push({ dashboard: dashboard.title, panel: `choice of ${name}`, expr, run: run.run, state, detail });
  }
  return { findings, words };
}

/** A word as a regular expression inside a PromQL string; the pattern of all runs stays what it is. */
const pattern = (word: string): string => (word === ".*" ? word : word.replace(/[.*+?^${}()|[\]\\]/g, "\\\\$&"));

/** The question with Grafana's variables replaced as Grafana replaces them: everything chosen, and its own spans. */
function replaced(template: string, run: HeldRun, step: number, words: ReadonlyMap<string, string>): string {
  // Grafana: the larger of four scrape intervals and one more than the step.
  const rateInterval = Math.max(4 * SCRAPE_SECONDS, step + SCRAPE_SECONDS);
  return template
    .replaceAll("$__rate_interval", `${rateInterval}s`)
    .replaceAll("$__range", `${Math.ceil(run.to - run.from) + 1}s`)
    .replaceAll("$run", () => pattern(run.run))
    .replaceAll(/\$([a-z]+)/g, (whole, name: string) => words.get(name) ?? whole);
}

/** Names of the series a question is about: whatever stands before a brace. */
const namesIn = (template: string): string[] => [...template.matchAll(/([a-z_:][a-z0-9_:]*)\{/g)].map(([, name = ""]) => name);

/** Names of the series in the text of metrics.om. */
export function namesOf(openMetrics: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [, name = ""] of openMetrics.matchAll(/^([a-z_]+)\{/gm)) names.add(name);
  return names;
}

/** The span of metrics.om in seconds since 1970. */
export function spanOf(openMetrics: string): { readonly from: number; readonly to: number } {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const [, stamp] of openMetrics.matchAll(/ (\d+\.\d{3})$/gm)) {
    from = Math.min(from, Number(stamp));
    to = Math.max(to, Number(stamp));
  }
  return { from, to };
}

/** Many runs side by side: verdicts, and the figures by which scenarios and seeds are compared. Every figure is a run's own, of its end. */
import { type Dashboard, latest, type Panel, type Row, series } from "./panel.ts";

const SCENARIO = 'scenario=~"$scenario"';
const of = (metric: Parameters<typeof series>[0], more: string = ""): string =>
  latest(series(metric, more === "" ? SCENARIO : `${SCENARIO},${more}`));

const verdicts: Row = {
  title: "Verdicts",
  panels: [
    {
      title: "Runs by verdict",
      description: "Of the chosen scenarios, in the time range.",
      kind: "number",
      unit: "short",
      width: 12,
      targets: [{ expr: `sum by (verdict) (${of("midcall_run_verdict")})`, legend: "{{verdict}}" }],
    },
    {
      title: "Oracles that did not hold",
      description: "In how many runs.",
      kind: "number",
      unit: "short",
      width: 12,
      targets: [
        {
          expr: `sum by (oracle, verdict) (${of("midcall_run_oracle", 'verdict!="held"')}) > 0 or vector(0)`,
          legend: "{{oracle}} {{verdict}}",
        },
      ],
    },
    {
      title: "Verdicts by scenario",
      description: "Runs of each scenario that came to each verdict.",
      kind: "table",
      unit: "short",
      width: 12,
      targets: [{ expr: `sum by (scenario, verdict) (${of("midcall_run_verdict")}) > 0`, legend: "" }],
    },
    {
      title: "Runs",
      description: "What ran: laboratory, seed, codec, cryptography, commit.",
      kind: "table",
      unit: "none",
      width: 12,
      targets: [{ expr: of("midcall_run_info"), legend: "" }],
    },
  ],
};

const figure = (title: string, description: string, unit: Panel["unit"], targets: Panel["targets"]): Panel => ({
  title,
  description,
  kind: "table",
  unit,
  width: 8,
  targets,
});
const worst = (metric: Parameters<typeof series>[0], which: "topk" | "bottomk"): Panel["targets"] => [
  { expr: `${which}(10, ${of(metric)})`, legend: "{{run}} {{party}}" },
];

const quality: Row = {
  title: "Quality by scenario",
  panels: [
    figure("Estimated MOS", "Lowest, mean and highest of all parties and runs.", "short", [
      { expr: `min by (scenario) (${of("midcall_run_mos")})`, legend: "lowest" },
      { expr: `avg by (scenario) (${of("midcall_run_mos")})`, legend: "mean" },
      { expr: `max by (scenario) (${of("midcall_run_mos")})`, legend: "highest" },
    ]),
    figure("Heard again", "Median and 95th percentile over runs and parties, from the fault and from its heal.", "s", [
      { expr: `quantile by (scenario, from) (0.5, ${of("midcall_run_recovery_seconds")})`, legend: "median" },
      { expr: `quantile by (scenario, from) (0.95, ${of("midcall_run_recovery_seconds")})`, legend: "95th" },
    ]),
    figure("Mouth to ear", "Median delays and 95th percentiles of runs, averaged.", "s", [
      { expr: `avg by (scenario, share) (${of("midcall_run_mouth_to_ear_seconds")})`, legend: "" },
    ]),
    figure("Concealed or silent", "Mean and worst share of frames.", "percentunit", [
      { expr: `avg by (scenario) (${of("midcall_run_concealment_ratio")})`, legend: "mean" },
      { expr: `max by (scenario) (${of("midcall_run_concealment_ratio")})`, legend: "worst" },
    ]),
    figure("Gaps", "Mean number of gaps of a party.", "short", [
      { expr: `avg by (scenario) (${of("midcall_run_gaps")})`, legend: "" },
    ]),
    figure("Without registration", "Mean and longest time of a client.", "s", [
      { expr: `avg by (scenario) (${of("midcall_run_down_seconds")})`, legend: "mean" },
      { expr: `max by (scenario) (${of("midcall_run_down_seconds")})`, legend: "longest" },
    ]),
  ],
};

const outliers: Row = {
  title: "The worst runs",
  panels: [
    figure("Lowest MOS", "The ten lowest of all parties and runs.", "short", worst("midcall_run_mos", "bottomk")),
    figure("Longest gaps", "The ten longest.", "s", worst("midcall_run_longest_gap_seconds", "topk")),
    figure(
      "Slowest to be heard again",
      "The ten longest, from the fault or its heal.",
      "s",
      worst("midcall_run_recovery_seconds", "topk"),
    ),
    {
      title: "Speed",
      description: "Seconds of run time a second.",
      kind: "table",
      unit: "short",
      width: 24,
      targets: [
        {
          expr: `sum by (scenario, lab) (${of("midcall_run_virtual_seconds")}) / sum by (scenario, lab) (${of("midcall_run_wall_seconds")})`,
          legend: "",
        },
      ],
    },
  ],
};

/** The campaign dashboard. */
export const CAMPAIGN: Dashboard = {
  uid: "midcall-campaign",
  title: "midcall: campaign",
  description: "Verdicts and figures of many runs.",
  variables: [
    { name: "run", metric: "midcall_run_info", label: "run", choice: "any" },
    { name: "scenario", metric: "midcall_run_info", label: "scenario", choice: "any" },
  ],
  rows: [verdicts, quality, outliers],
};

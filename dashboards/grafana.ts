/**
 * Grafana's JSON of a dashboard, made with Grafana's own SDK (@grafana/grafana-foundation-sdk), so that it is of the shape Grafana reads. Every
 * dashboard shows the faults of the chosen run over all its panels, as annotations.
 */
import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import {
  BigValueTextMode,
  type DataSourceRef,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  type Dashboard as GrafanaDashboard,
  type Panel as GrafanaPanel,
  QueryVariableBuilder,
  RowBuilder,
  TimePickerBuilder,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { PanelBuilder as HeatmapBuilder } from "@grafana/grafana-foundation-sdk/heatmap";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as StatesBuilder } from "@grafana/grafana-foundation-sdk/statetimeline";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as LinesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import { type Dashboard, isInstant, type Panel, series, type Variable } from "./panel.ts";

/** The data source of every panel; provisioning gives it this identifier. */
export const DATA_SOURCE: DataSourceRef & { readonly uid: string } = { type: "prometheus", uid: "midcall-prometheus" };

/** Rows of a panel, Grafana's grid units of 30 px. chosen: two rows of panels fit a laptop's screen. */
const HEIGHT = { lines: 8, bars: 8, heat: 8, states: 6, number: 4, table: 8 } as const;

/** The PromQL of the annotations: a fault while it lasts, and the moment of one that is undone as it is done. */
export const FAULTS: string = `${series("midcall_fault_active")} > 0 or increase(${series("midcall_faults_applied_total")}[4s]) > 0`;

/** Grafana's JSON of a dashboard, as an object. */
export function grafanaDashboard(dashboard: Dashboard): GrafanaDashboard {
  const board = new DashboardBuilder(dashboard.title)
    .uid(dashboard.uid)
    .description(dashboard.description)
    .tags(["midcall"])
    .editable()
    .timezone("browser")
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: "now-15m", to: "now" })
    .timepicker(new TimePickerBuilder().refreshIntervals(["1s", "5s", "10s", "1m"]))
    .refresh("5s")
    .link(
      new DashboardLinkBuilder("midcall").type(DashboardLinkType.Dashboards).tags(["midcall"]).asDropdown(false).keepTime(true),
    )
    .annotation(
      new AnnotationQueryBuilder()
        .name("Faults")
        .datasource(DATA_SOURCE)
        .enable(true)
        .iconColor("red")
        .expr(FAULTS)
        .step("1s")
        .titleFormat("{{fault}}")
        .target(new DataqueryBuilder().refId("Anno").expr(FAULTS).range().interval("1s").legendFormat("{{fault}}")),
    );
  for (const one of dashboard.variables) board.withVariable(variable(one));
  for (const row of dashboard.rows) {
    board.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) board.withPanel(drawn(panel));
  }
  return board.build();
}

function variable({ name, metric, label, choice }: Variable): QueryVariableBuilder {
  const scope = name === "run" ? metric : `${metric}{run=~"$run"}`;
  const made = new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATA_SOURCE)
    .query({ qryType: 1, query: `label_values(${scope}, ${label})`, refId: "PrometheusVariableQueryEditor-VariableQuery" })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(choice !== "one")
    .includeAll(choice !== "one");
  if (choice === "any") made.allValue(".*");
  return choice === "one" ? made : made.current({ text: "All", value: "$__all" });
}

function drawn(panel: Panel): Builder<GrafanaPanel> {
  const targets = panel.targets.map((target, index) => query(panel, target, index));
  switch (panel.kind) {
    case "lines":
    case "bars": {
      const legend = new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .calcs([]);
      const lines = new LinesBuilder().legend(legend).lineWidth(1).showPoints(VisibilityMode.Auto);
      if (panel.kind === "bars")
        lines
          .drawStyle(GraphDrawStyle.Bars)
          .fillOpacity(60)
          .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group("A"));
      else lines.drawStyle(GraphDrawStyle.Line).fillOpacity(8).insertNulls(5_000);
      if (panel.unit === "percentunit") lines.min(0).max(1);
      else lines.min(0);
      return shaped(lines, panel, targets);
    }
    case "states":
      return shaped(new StatesBuilder().fillOpacity(70).lineWidth(0).mergeValues(true), panel, targets);
    case "heat":
      return shaped(new HeatmapBuilder().calculate(false), panel, targets);
    case "number":
      return shaped(
        new StatBuilder()
          .textMode(panel.title === "Verdict" ? BigValueTextMode.Name : BigValueTextMode.ValueAndName)
          .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"])),
        panel,
        targets,
      );
    case "table":
      return shaped(new TableBuilder(), panel, targets).withTransformation({ id: "merge", options: {} });
  }
}

/** What every kind of panel has. */
type Shapeable<B> = {
  title(text: string): B;
  description(text: string): B;
  datasource(of: DataSourceRef): B;
  unit(name: string): B;
  span(columns: number): B;
  height(rows: number): B;
  targets(queries: Builder<Dataquery>[]): B;
};

const shaped = <B extends Shapeable<B>>(builder: B, panel: Panel, targets: Builder<Dataquery>[]): B =>
  builder
    .title(panel.title)
    .description(panel.description)
    .datasource(DATA_SOURCE)
    .unit(panel.unit)
    .span(panel.width)
    .height(HEIGHT[panel.kind])
    .targets(targets);

function query(panel: Panel, { expr, legend }: Panel["targets"][number], index: number): DataqueryBuilder {
  const made = new DataqueryBuilder()
    .refId(String.fromCharCode(65 + index))
    .datasource(DATA_SOURCE)
    .expr(expr);
  if (legend !== "") made.legendFormat(legend);
  if (panel.kind === "table") made.format(PromQueryFormat.Table);
  else made.format(panel.kind === "heat" ? PromQueryFormat.Heatmap : PromQueryFormat.TimeSeries);
  return isInstant(panel.kind) ? made.instant() : made.range();
}

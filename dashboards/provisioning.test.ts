/** The files that Grafana and Prometheus read, held against Grafana's own types and against the metric catalogue. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { METRICS } from "../impl/base/metric/catalogue.ts";
import { grafanaDashboard } from "./grafana.ts";
import { panelsOf, series } from "./panel.ts";
import { DASHBOARDS, PORTS, provisioning } from "./provisioning.ts";

const execute = promisify(execFile);
const REPOSITORY = join(import.meta.dirname, "..");

/** The SDK's types as JSON has them: enumerations are plain words and numbers, and every question is one for Prometheus. */
const PLAIN = `
import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import type { Dataquery } from "@grafana/grafana-foundation-sdk/prometheus";
type Question = Omit<Dataquery, "_implementsDataqueryVariant">;
type Plain<T> = T extends { _implementsDataqueryVariant(): void }
  ? { [K in keyof Question]: Plain<Question[K]> }
  : T extends string
    ? \`\${T}\`
    : T extends number
      ? number extends T ? T : \`\${T}\` extends \`\${infer N extends number}\` ? N : never
      : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
`;

test("Grafana's own types accept the JSON as it is written, and refuse a field that Grafana does not know", async () => {
  // Where the compiler finds the SDK and no other test looks; a literal is checked for fields too many.
  const folder = await mkdtemp(join(REPOSITORY, "node_modules/.midcall-types-"));
  try {
    const source = (name: string, json: unknown): Promise<void> =>
      writeFile(
        join(folder, `${name}.ts`),
        `${PLAIN}export const dashboard: Plain<Dashboard> = ${JSON.stringify(json, null, 1)};\n`,
      );
    const written = DASHBOARDS.map((one) => JSON.parse(JSON.stringify(grafanaDashboard(one))) as Record<string, unknown>);
    for (const [index, json] of written.entries()) await source(`dashboard-${index}`, json);
    await source("wrong", { ...written[0], panles: [] });
    const files = [...written.map((_, index) => `dashboard-${index}.ts`), "wrong.ts"];
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: "../../tsconfig.json", compilerOptions: { noEmit: true }, include: [], files }),
    );
    const tsc = join(REPOSITORY, "node_modules/typescript/bin/tsc");
    const said = await execute(process.execPath, [tsc, "-p", folder], { cwd: REPOSITORY }).then(
      () => "",
      (error: { stdout?: string }) => error.stdout ?? String(error),
    );
    const faulty = [...said.matchAll(/^\S*?([^/\s]+\.ts)\(/gm)].map(([, file]) => file);
    expect(said).toContain("panles");
    expect(new Set(faulty), said).toEqual(new Set(["wrong.ts"]));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("every file is JSON, which is YAML; both servers and everything they reach are on loopback", () => {
  const files = provisioning([{ address: "127.0.0.1:9464", run: "live" }]);
  for (const [path, text] of files) expect(() => JSON.parse(text), path).not.toThrow();
  const all = [...files.values()].join("");
  for (const [address] of all.matchAll(/\d+\.\d+\.\d+\.\d+/g)) expect(address).toBe("127.0.0.1");
  expect(all).toContain(`--web.listen-address=127.0.0.1:${PORTS.prometheus}`);
  expect(all).toContain('"GF_SERVER_HTTP_ADDR": "127.0.0.1"');
});

test.each(DASHBOARDS.map((one) => [one.uid, one] as const))(
  "%s shows faults on all panels, and says of each what it is",
  (_uid, one) => {
    const json = grafanaDashboard(one);
    const [faults] = json.annotations?.list ?? [];
    expect(faults).toMatchObject({ name: "Faults", enable: true });
    expect(faults?.filter, "a filter would leave panels out").toBeUndefined();
    const titles = panelsOf(one).map((panel) => panel.title);
    expect(new Set(titles).size).toBe(titles.length);
    for (const { title, description, targets } of panelsOf(one)) {
      expect(description, title).toMatch(/[.]$/);
      expect(targets.length, title).toBeGreaterThan(0);
    }
    const shown = json.panels?.filter((panel) => panel.type !== "row") ?? [];
    expect(shown.map((panel) => panel.title)).toEqual(titles);
  },
);

test("there are 18 panels and more on call quality, and each metric that a laboratory or a party tells is on some panel", () => {
  const [call] = DASHBOARDS;
  expect(call === undefined ? 0 : panelsOf(call).length).toBeGreaterThanOrEqual(18);
  const asked = DASHBOARDS.flatMap(panelsOf)
    .flatMap((panel) => panel.targets.map(({ expr }) => expr))
    .join(" ");
  const unseen = [...METRICS.keys()].filter((name) => !asked.includes(name));
  // Annotations ask for applications; the rest are for people who ask Prometheus themselves.
  expect(unseen.sort()).toEqual([
    "midcall_client_call_events_total",
    "midcall_client_generations_total",
    "midcall_client_interruption_seconds_total",
    "midcall_client_path_changes_total",
    "midcall_client_reconnect_delay_seconds",
    "midcall_dropped_bytes_total",
    "midcall_fault_touched_packets_total",
    "midcall_faults_applied_total",
    "midcall_log_records_total",
  ]);
});

test("a histogram is asked for by its parts, and nothing else has any", () => {
  expect(() => series("midcall_client_gap_seconds")).toThrow(RangeError);
  expect(() => series("midcall_sessions", "", "_sum")).toThrow(RangeError);
});

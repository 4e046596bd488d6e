/**
 * Everything that Prometheus and Grafana need to show midcall's dashboards, as files: the dashboards, Grafana's provisioning, Prometheus' configuration
 * and a compose file that runs both. Containers share the host's network, because what they scrape listens on its loopback, and so do they.
 */
import { CALL_QUALITY } from "./call-quality.ts";
import { CAMPAIGN } from "./campaign.ts";
import { FEDERATION } from "./federation.ts";
import { DATA_SOURCE, grafanaDashboard } from "./grafana.ts";
import type { Dashboard } from "./panel.ts";
import { prometheusConfig, SCRAPE_SECONDS, type ScrapeTarget } from "./prometheus-config.ts";
import { RELAY_DASHBOARD } from "./relay.ts";

export const DASHBOARDS: readonly Dashboard[] = [CALL_QUALITY, RELAY_DASHBOARD, FEDERATION, CAMPAIGN];

/** Pinned, because what is not changes under its user. Prometheus 3.5 is the long-term release; Grafana 12 reads what the SDK writes. */
export const IMAGES = { prometheus: "prom/prometheus:v3.5.0", grafana: "grafana/grafana:12.1.1" } as const;

/** TCP ports on loopback. */
export type Ports = { readonly prometheus: number; readonly grafana: number };
/** chosen: the defaults of both, which people know. */
export const PORTS: Ports = { prometheus: 9090, grafana: 3000 };

/** One service as a compose file has it. `volumes`: `SOURCE:TARGET:ro`, a source with a dot being relative to the file, one without any path being kept data. */
export type Service = {
  readonly image: string;
  readonly network_mode: "host";
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: readonly string[];
  readonly volumes: readonly string[];
};

/** The files by path inside their folder. */
export function provisioning(targets: readonly ScrapeTarget[], ports: Ports = PORTS): ReadonlyMap<string, string> {
  return new Map([
    ["compose.yaml", json({ name: "midcall-dashboards", services: services(ports), volumes: { prometheus: {} } })],
    ["prometheus/prometheus.yml", prometheusConfig(targets)],
    ["grafana/provisioning/datasources/midcall.yaml", json(dataSource(ports))],
    ["grafana/provisioning/dashboards/midcall.yaml", json(provider())],
    ...DASHBOARDS.map((one): [string, string] => [`grafana/dashboards/${one.uid}.json`, json(grafanaDashboard(one))]),
  ]);
}

/** JSON is YAML too. */
const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const dataSource = (ports: Ports): unknown => ({
  apiVersion: 1,
  datasources: [
    {
      name: "midcall",
      type: DATA_SOURCE.type,
      uid: DATA_SOURCE.uid,
      access: "proxy",
      url: `http://127.0.0.1:${ports.prometheus}`,
      isDefault: true,
      jsonData: { timeInterval: `${SCRAPE_SECONDS}s`, httpMethod: "POST" },
    },
  ],
});

const provider = (): unknown => ({
  apiVersion: 1,
  providers: [
    {
      name: "midcall",
      type: "file",
      allowUiUpdates: true,
      options: { path: "/etc/midcall/dashboards", foldersFromFilesStructure: false },
    },
  ],
});

/** Both servers, for the compose file and for whoever starts them without it. */
export const services = (ports: Ports): { readonly prometheus: Service; readonly grafana: Service } => ({
  prometheus: {
    image: IMAGES.prometheus,
    network_mode: "host",
    command: [
      "--config.file=/etc/prometheus/prometheus.yml",
      "--storage.tsdb.path=/prometheus",
      "--storage.tsdb.retention.time=50y",
      `--web.listen-address=127.0.0.1:${ports.prometheus}`,
    ],
    volumes: ["./prometheus/prometheus.yml:/etc/prometheus/prometheus.yml:ro", "prometheus:/prometheus"],
  },
  grafana: {
    image: IMAGES.grafana,
    network_mode: "host",
    depends_on: ["prometheus"],
    environment: {
      GF_SERVER_HTTP_ADDR: "127.0.0.1",
      GF_SERVER_HTTP_PORT: String(ports.grafana),
      // Whoever reaches loopback may look and explore; there is no administrator to log in as.
      GF_AUTH_ANONYMOUS_ENABLED: "true",
      GF_AUTH_ANONYMOUS_ORG_ROLE: "Editor",
      GF_AUTH_DISABLE_LOGIN_FORM: "true",
      GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION: "true",
      GF_ANALYTICS_REPORTING_ENABLED: "false",
      GF_ANALYTICS_CHECK_FOR_UPDATES: "false",
      GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: "false",
      GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: `/etc/midcall/dashboards/${CALL_QUALITY.uid}.json`,
    },
    volumes: ["./grafana/provisioning:/etc/grafana/provisioning:ro", "./grafana/dashboards:/etc/midcall/dashboards:ro"],
  },
});

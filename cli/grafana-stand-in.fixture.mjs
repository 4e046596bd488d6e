/**
 * Stands in for Grafana, which no registry of these machines has: reads its provisioning as Grafana does (docs: Provision Grafana), ends when anything of it is not there, and
 * then answers what tests ask: health, dashboards by uid, and questions to the data source through its proxy. Configured by Grafana's own environment.
 */
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";

const PROVISIONING = "/etc/grafana/provisioning";
/** All JSON documents in a folder (JSON is YAML too). */
const read = (folder) => readdirSync(folder).map((name) => JSON.parse(readFileSync(`${folder}/${name}`, "utf8")));
const sources = new Map(
  read(`${PROVISIONING}/datasources`).flatMap(({ datasources }) => datasources.map((one) => [one.uid, one])),
);
const folders = read(`${PROVISIONING}/dashboards`).flatMap(({ providers }) => providers.map(({ options }) => options.path));
const dashboards = new Map(folders.flatMap(read).map((one) => [one.uid, one]));
for (const { uid, panels } of dashboards.values())
  for (const { type, datasource } of panels)
    if (type !== "row" && !sources.has(datasource?.uid))
      throw new Error(`${uid}: a panel asks ${datasource?.uid}, which is not provisioned`);
JSON.parse(readFileSync(process.env.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH ?? "", "utf8"));

createServer(async ({ url = "" }, response) => {
  const [, uid] = /^\/api\/dashboards\/uid\/([\w-]+)$/.exec(url) ?? [];
  const [, source, path] = /^\/api\/datasources\/proxy\/uid\/([\w-]+)\/(.*)$/.exec(url) ?? [];
  const answer = (code, body) => response.writeHead(code, { "content-type": "application/json" }).end(body);
  if (url === "/api/health") return answer(200, JSON.stringify({ database: "ok", version: "stand-in" }));
  if (dashboards.has(uid)) return answer(200, JSON.stringify({ dashboard: dashboards.get(uid) }));
  if (!sources.has(source)) return answer(404, "{}");
  const asked = await fetch(`${sources.get(source).url}/${path}`);
  answer(asked.status, await asked.text());
}).listen(Number(process.env.GF_SERVER_HTTP_PORT), process.env.GF_SERVER_HTTP_ADDR);

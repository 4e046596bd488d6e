/** `midcall dashboards up` with a real Docker daemon: real Prometheus, and a stand-in for Grafana, in containers; and without what it needs. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createListener } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { DATA_SOURCE } from "../dashboards/grafana.ts";
import { DASHBOARDS, IMAGES } from "../dashboards/provisioning.ts";
import { anyDaemon, type Daemon, isDaemonInstalled } from "../netns/docker/daemon.ts";
import { dockerLacks } from "../netns/docker/docker-lacks.ts";
import { openEngine } from "../netns/docker/engine.ts";
import { lacks } from "../netns/install.ts";
import type { Result } from "../reports/result.ts";
import { importImages } from "./dashboards-images.fixture.ts";
import { examine } from "./doctor.ts";
import { midcall, midcallProcess } from "./recorded-terminal.fixture.ts";

const found = [...(await lacks()), ...(isDaemonInstalled() ? [] : await dockerLacks())].map(({ what }) => what);
const tools = (await examine()).filter((check) => check.for === "dashboards" && !check.ok).map(({ part }) => part);
const missing = [...found, ...tools].join("; ");

let scratch = "";
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "midcall-dashboards-up-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** A TCP port of loopback that nobody has. */
async function freePort(): Promise<number> {
  const server = createListener();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

type Up = { readonly child: ChildProcess; said(): string; readonly gone: Promise<unknown> };

/** The command as a process, once it says where to look. */
async function up(words: readonly string[]): Promise<Up> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "midcall.mjs"), "dashboards", "up", ...words], {
    cwd: scratch,
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const gone = once(child, "exit").then(([code]) => code as unknown);
  let said = "";
  const ready = new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes("up until Ctrl-C")) resolve();
      });
    void gone.then((code) => reject(new Error(`ended with ${code}: ${said}`)));
  });
  await ready;
  return { child, said: () => said, gone };
}

test("both servers run with the run loaded; what a killed process left goes when the next one comes, and Ctrl-C leaves nothing", async (context) => {
  context.skip(missing !== "", missing);
  const daemon: Pick<Daemon, "stop"> = await anyDaemon();
  onTestFinished(() => daemon.stop());
  const { docker } = await openEngine();
  await importImages(docker);
  expect((await midcall(scratch, ["run", "relay-restart", "--codec", "sized", "--crypto", "null", "--json"])).code).toBe(0);
  const [prometheusPort, grafanaPort] = [await freePort(), await freePort()];
  const words = ["out/latest", "--prometheus-port", String(prometheusPort), "--grafana-port", String(grafanaPort)];
  const containers = (): Promise<readonly unknown[]> =>
    docker.listContainers({ all: true, filters: { label: ["midcall.run=dashboards"] } });

  const killed = await up(words);
  killed.child.kill("SIGKILL");
  await killed.gone;
  expect(await containers()).toHaveLength(3);

  const going = await up(words);
  expect(await containers()).toHaveLength(3);
  const site = `http://127.0.0.1:${grafanaPort}`;
  const json = async (url: string): Promise<ReturnType<typeof JSON.parse>> => (await fetch(url)).json();
  for (const { uid, title } of DASHBOARDS) {
    expect(going.said()).toContain(`${title}: ${site}/d/${uid}\n`);
    expect((await json(`${site}/api/dashboards/uid/${uid}`)).dashboard.title).toBe(title);
  }
  const [, to = ""] =
    new RegExp(
      `^relay-restart/sim-0x1: ${site}/d/midcall-call\\?var-run=relay-restart%2Fsim-0x1&from=\\d{13}&to=(\\d{13})$`,
      "m",
    ).exec(going.said()) ?? [];
  // What result.json says, asked of Prometheus through Grafana's data source.
  const result = JSON.parse(await readFile(join(scratch, "out/latest/result.json"), "utf8")) as Result;
  const query = new URLSearchParams({
    query: 'last_over_time(midcall_run_mos{run="relay-restart/sim-0x1",party="alice"}[10m])',
    time: String(Number(to) / 1e3),
  });
  const asked = await json(`${site}/api/datasources/proxy/uid/${DATA_SOURCE.uid}/api/v1/query?${query}`);
  expect(asked.data.result.map((one: { value: [number, string] }) => Number(one.value[1]))).toEqual([
    result.measurements.audio.alice?.mos,
  ]);
  // Loopback alone, as the kernel has it.
  for (const port of [prometheusPort, grafanaPort]) {
    const hex = port.toString(16).toUpperCase().padStart(4, "0");
    const listening = (await Promise.all(["/proc/net/tcp", "/proc/net/tcp6"].map((file) => readFile(file, "utf8"))))
      .join("\n")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .flatMap(([, local = "", , state]) => (state === "0A" && local.endsWith(`:${hex}`) ? [local.slice(0, -5)] : []));
    expect(listening).toEqual(["0100007F"]);
  }
  going.child.kill("SIGINT");
  expect(await going.gone).toBe(130);
  expect(await containers()).toEqual([]);
  expect((await docker.listVolumes()).Volumes ?? []).toEqual([]);
});

/** What answers like a daemon without images that cannot reach a registry. */
async function daemonWithoutImages(refusal: string): Promise<string> {
  const socket = join(scratch, "docker.sock");
  const server: Server = createServer(({ method, url = "" }, response) => {
    const say = (code: number, body: unknown): unknown =>
      response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
    const path = url.replace(/^\/v[\d.]+/, "");
    if (path.startsWith("/images/create")) return say(500, { message: refusal });
    if (path.startsWith("/images/")) return say(404, { message: "No such image" });
    if (path.startsWith("/containers/json")) return say(200, []);
    return say(
      200,
      method === "GET" && path === "/version" ? { Version: "27.0.0", ApiVersion: "1.46" } : { OperatingSystem: "none" },
    );
  });
  await once(server.listen(socket), "listening");
  onTestFinished(() => void server.close());
  return `unix://${socket}`;
}

test("where no image can be had it says which, why, and what does without them; where a port is taken, how to take another", async () => {
  const refusal = 'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host';
  const env = { ...process.env, DOCKER_HOST: await daemonWithoutImages(refusal) };
  const ports = ["--prometheus-port", String(await freePort()), "--grafana-port", String(await freePort())];
  const { code, err } = await midcallProcess(scratch, ["dashboards", "up", "--out", "offline", ...ports], { env });
  expect(err.split("\n").at(-1)).toMatch(
    new RegExp(
      `^midcall: docker has no image ${IMAGES.prometheus}: .*no such host.*; want a daemon that can pull ${IMAGES.prometheus} and ${IMAGES.grafana}, or that has them \\(docker load\\)\\. Without them, midcall dashboards check `,
    ),
  );
  expect(code).toBe(5);
  expect(await readFile(join(scratch, "offline/compose.yaml"), "utf8")).toContain(IMAGES.grafana);

  const taken = createListener();
  await once(taken.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void taken.close());
  const { port } = taken.address() as AddressInfo;
  const busy = await midcallProcess(scratch, ["dashboards", "up", ...ports, "--grafana-port", String(port)], { env });
  expect(busy).toMatchObject({
    code: 2,
    err: `midcall: 127.0.0.1:${port} is taken (EADDRINUSE); want another port by --grafana-port`,
  });
});

test("without a daemon: exit code 5 and the command that gets one", async () => {
  const env = { ...process.env, DOCKER_HOST: `unix://${join(scratch, "nowhere.sock")}` };
  const { code, err } = await midcallProcess(scratch, ["dashboards", "up"], { env });
  expect(code).toBe(5);
  expect(err).toMatch(
    /^midcall: docker cannot be used \(no Docker daemon answers at \S+: there is no such socket\); to get it: \S/m,
  );
});

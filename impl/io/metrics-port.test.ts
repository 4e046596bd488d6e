import { Buffer } from "node:buffer";
import { request } from "node:http";
import { afterEach, expect, test } from "vitest";
import { IoError } from "./io-error.ts";
import { type MetricsPort, openMetricsPort } from "./metrics-port.ts";

const open: MetricsPort[] = [];
afterEach(async () => {
  for (const port of open.splice(0)) await port.close();
});

async function opened(port = 0): Promise<MetricsPort> {
  const one = await openMetricsPort({ host: "127.0.0.1", port, sources: ["process", "relay"], labels: { site: "here" } });
  open.push(one);
  return one;
}

test("shows what the log said, of its own sources alone, with what prom-client knows of the process", async () => {
  const port = await opened();
  port.read({ t: 1, who: 'r"1\n', ev: "process", state: "started" });
  port.read({ t: 2, who: 'r"1\n', ev: "refused", reason: "malformed", what: "signalling message", count: 3 });
  port.read({ t: 3, who: 'r"1\n', ev: "registration", state: "registered", supervisors: 0 });
  const response = await fetch(`http://${port.local}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const lines = (await response.text()).split("\n");
  expect(lines).toContain('midcall_process_up{party="r\\"1\\n",site="here"} 1');
  expect(lines).toContain('midcall_refused_total{party="r\\"1\\n",reason="malformed",site="here"} 3');
  expect(lines.some((line) => line.startsWith("midcall_client_"))).toBe(false);
  expect(lines.some((line) => line.startsWith("process_cpu_seconds_total{"))).toBe(true);
});

test("health is answered as long as the process answers, readiness while it takes in anybody, else with the reason", async () => {
  let unready: string | undefined;
  const port = await openMetricsPort({ host: "127.0.0.1", port: 0, sources: ["relay"], unready: () => unready });
  open.push(port);
  const asked = async (path: string): Promise<unknown> => {
    const response = await fetch(`http://${port.local}${path}`);
    return [response.status, await response.text()];
  };
  expect([await asked("/healthz"), await asked("/readyz")]).toEqual([
    [200, "ok\n"],
    [200, "ready\n"],
  ]);
  unready = "draining";
  expect([await asked("/healthz"), await asked("/readyz")]).toEqual([
    [200, "ok\n"],
    [503, "draining\n"],
  ]);
});

test("there is nothing but GET and HEAD of /metrics", async () => {
  const { local } = await opened();
  expect((await fetch(`http://${local}/`)).status).toBe(404);
  expect((await fetch(`http://${local}/metrics`, { method: "POST", body: "x" })).status).toBe(405);
  const head = await fetch(`http://${local}/metrics`, { method: "HEAD" });
  expect([head.status, await head.text()]).toEqual([200, ""]);
});

test("a request that never ends its headers does not keep the port from closing", async () => {
  const port = await opened();
  const slow = request(`http://${port.local}/metrics`, { method: "POST", headers: { "content-length": "10" } });
  const ended = new Promise((resolve) => slow.on("error", resolve).on("response", resolve));
  slow.write(Buffer.from("x"));
  await port.close();
  open.length = 0;
  await ended;
  await expect(fetch(`http://${port.local}/metrics`)).rejects.toThrow();
});

test("a port in use is an IoError that says what to do", async () => {
  const first = await opened();
  const again = opened(Number(first.local.split(":")[1]));
  await expect(again).rejects.toThrow(IoError);
  await expect(again).rejects.toThrow(/^cannot listen on TCP 127\.0\.0\.1:\d+: choose another port or address$/);
});

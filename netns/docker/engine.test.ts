import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openEngine } from "./engine.ts";
import { containerLauncher } from "./launch-container.ts";

/** What a daemon that says its version does with everything else. */
type Manner = "refuses" | "hangs";

let folder = "";
let server: Server;
let manner: Manner;
// One socket for all: testcontainers remembers the first that it is told of.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mc-engine-"));
  server = createServer((request, response) => {
    if (request.url?.endsWith("/version") === true) response.end('{"Version": "27.0"}');
    else if (manner === "refuses") response.writeHead(500).end('{"message": "no more of this"}');
  });
  const path = join(folder, "s");
  await new Promise<void>((resolve) => server.listen(path, resolve));
  vi.stubEnv("DOCKER_HOST", `unix://${path}`);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

test("a daemon that refuses to work is told of with its socket", async () => {
  manner = "refuses";
  await expect(openEngine()).rejects.toMatchObject({
    code: "daemon",
    message: expect.stringContaining(`testcontainers cannot use the Docker daemon at ${join(folder, "s")}`),
  });
});

test("a daemon that hangs is given up, at the start and at the end of a run", async () => {
  manner = "hangs";
  const launcher = containerLauncher({ patienceMs: 100 });
  await expect(launcher.adopt?.("0123ab", ["alice"], folder)).rejects.toMatchObject({
    code: "daemon",
    message: expect.stringContaining("does not answer: 0.1 s were not enough"),
  });
  await launcher.close?.();
});

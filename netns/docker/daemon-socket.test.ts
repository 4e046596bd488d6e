import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { daemonSocket, daemonVersion } from "./daemon-socket.ts";
import { daemonRemedy, dockerLacks } from "./docker-lacks.ts";

afterEach(() => vi.unstubAllEnvs());

test.each<[host: string | undefined, socket: string]>([
  [undefined, "/var/run/docker.sock"],
  ["", "/var/run/docker.sock"],
  ["unix:///tmp/d.sock", "/tmp/d.sock"],
])("DOCKER_HOST=%s is the socket %s", (host, socket) => {
  vi.stubEnv("DOCKER_HOST", host);
  expect(daemonSocket()).toBe(socket);
});

test("a daemon on another machine is refused by name, and to be forgotten", async () => {
  vi.stubEnv("DOCKER_HOST", "tcp://10.0.0.1:2375");
  expect(await dockerLacks()).toEqual([{ what: expect.stringContaining("tcp://10.0.0.1:2375"), command: "unset DOCKER_HOST" }]);
  expect(() => daemonSocket("tcp://10.0.0.1:2375")).toThrow("DOCKER_HOST=tcp://10.0.0.1:2375: the docker laboratory needs");
});

test("a daemon that is installed and does not run is started by systemd, or by what needs no leave to raise limits", () => {
  vi.stubEnv("DOCKER_HOST", "");
  expect(daemonRemedy("/usr/sbin/dockerd", true)).toBe("systemctl start docker");
  expect(daemonRemedy("/usr/bin/dockerd", false)).toBe("start-stop-daemon --start --oknodo --background --exec /usr/bin/dockerd");
  // Run word by word, without a shell (doctor --fix).
  expect(daemonRemedy("/usr/bin/dockerd", false)).not.toMatch(/['"$|&;<>\\]/);
});

test("no daemon, and what is none, are told in one line", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mc-socket-"));
  const path = join(folder, "s");
  await expect(daemonVersion(`unix://${path}`)).rejects.toMatchObject({
    code: "daemon",
    message: `no Docker daemon answers at ${path}: there is no such socket`,
  });
  const server = createServer((socket) => socket.resume().end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  await expect(daemonVersion(`unix://${path}`)).rejects.toMatchObject({
    code: "daemon",
    message: `what listens at ${path} is no Docker daemon`,
  });
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { startPrometheus } from "./prometheus.ts";

test.each([
  ["ready", "listening"],
  ["listening", "ready"],
])("a Prometheus that says first that it is %s and then that it is %s is asked at the address it gives", async (...order) => {
  const folder = await mkdtemp(join(tmpdir(), "midcall-prometheus-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const says: Record<string, string> = {
    ready: 'level=info msg="Server is ready to receive web requests."',
    listening: 'level=info component=web msg="Listening on" address=127.0.0.1:9999',
  };
  const lines = order.map((word) => `echo '${says[word]}' >&2`);
  await writeFile(join(folder, "prometheus"), `#!/bin/sh\n${lines.join("\n")}\nexec sleep 60\n`);
  await chmod(join(folder, "prometheus"), 0o755);
  vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  const prometheus = await startPrometheus(join(folder, "data"));
  await prometheus.close();
  expect(prometheus.url).toBe("http://127.0.0.1:9999");
});

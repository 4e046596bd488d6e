/** The images of the dashboards' compose file, made of this machine's own files for tests without a registry: Debian's Prometheus, and a stand-in for Grafana that Node.js runs. */
import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { IMAGES } from "../dashboards/provisioning.ts";
import type { Engine } from "../netns/docker/engine.ts";

const PROMETHEUS = ["/usr/bin/prometheus", "/usr/bin/promtool"];
const STAND_IN = join(import.meta.dirname, "grafana-stand-in.fixture.mjs");

/** Imports both images under the names that are pinned. */
export async function importImages(docker: Engine["docker"]): Promise<void> {
  await imported(docker, IMAGES.prometheus, PROMETHEUS, ["/usr/bin/prometheus"]);
  await imported(docker, IMAGES.grafana, [process.execPath, STAND_IN], [process.execPath, STAND_IN]);
}

/** An image that holds `files` at their paths and the libraries that they are linked with. */
async function imported(
  docker: Engine["docker"],
  image: string,
  files: readonly string[],
  entrypoint: readonly string[],
): Promise<void> {
  const linked = (file: string): string[] =>
    [...execFileSync("ldd", [file], { encoding: "utf8" }).matchAll(/(\/\S+) \(0x/g)].map(([, path = ""]) => path);
  const libraries = files.filter((file) => !file.endsWith(".mjs")).flatMap(linked);
  const words = ["--create", "--dereference", "--absolute-names", "--no-recursion", "/tmp", ...new Set([...files, ...libraries])];
  const tar = spawn("tar", words, {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [repo, tag] = image.split(":");
  const progress = await docker.importImage(tar.stdout, { repo, tag, changes: `ENTRYPOINT ${JSON.stringify(entrypoint)}` });
  for await (const _ of progress); // it is there when the daemon has said all
}

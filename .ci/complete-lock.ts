/**
 * `npm run lock`: adds to package-lock.json the optional packages of other platforms that npm left out. npm leaves out what the
 * registry it asked does not serve, and `npm ci` then refuses the whole lock. Versions are those the parents pin exactly;
 * platforms are read from the names (`-linux-arm64-musl`). Entries have no integrity, because there was nothing to hash.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

type Entry = {
  version?: string;
  cpu?: string[];
  dev?: true;
  libc?: string[];
  optional?: true;
  os?: string[];
  optionalDependencies?: Record<string, string>;
};

const SYSTEMS = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const PROCESSORS = new Map(
  ["arm", "arm64", "ia32", "loong64", "ppc64", "riscv64", "s390x", "wasm32", "x64"].map((name) => [name, [name]]),
).set("universal", ["x64", "arm64"]);
const LIBRARIES = new Map([
  ["gnu", "glibc"],
  ["gnueabihf", "glibc"],
  ["musl", "musl"],
  ["musleabihf", "musl"],
]);

const path = join(import.meta.dirname, "..", "package-lock.json");
const lock: { packages: Record<string, Entry> } = JSON.parse(await readFile(path, "utf8"));
const packages = new Map(Object.entries(lock.packages));

for (const [folder, { optionalDependencies = {}, dev }] of [...packages]) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (packages.has(`node_modules/${name}`) || packages.has(`${folder}/node_modules/${name}`)) continue;
    if (!/^\d+\.\d+\.\d+/.test(version))
      throw new Error(`${folder} wants ${name}@${version}, which is not one version: add it by hand`);
    const words = name.split(/[/-]/);
    const cpu = words.flatMap((word) => PROCESSORS.get(word) ?? []);
    const libc = words.flatMap((word) => LIBRARIES.get(word) ?? []);
    const os = words.filter((word) => SYSTEMS.includes(word));
    packages.set(`node_modules/${name}`, {
      version,
      ...(cpu.length > 0 && { cpu }),
      ...(dev === true && { dev }),
      ...(libc.length > 0 && { libc }),
      optional: true,
      ...(os.length > 0 && { os }),
    });
    console.log(`added ${name}@${version}`);
  }
}
lock.packages = Object.fromEntries([...packages].sort(([a], [b]) => (a < b ? -1 : 1)));
await writeFile(path, `${JSON.stringify(lock, null, 2)}\n`);

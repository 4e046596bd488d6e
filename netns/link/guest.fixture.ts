/**
 * A guest with Debian's own kernel, for what the machine's kernel lacks: QEMU in software emulation, everything in one initramfs, nothing of the host's disk. It is some ten
 * times slower than the machine: good for correctness, never for speed. Its clock counts instructions (QEMU's icount), so that it sees a steady machine of
 * 250 million instructions a second however busy this one is, and bounds on time hold in it.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { access, chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { arch, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { installMissing, type Tool } from "../install.ts";

const execute = promisify(execFile);

/** What makes and runs a guest. */
export const GUEST_TOOLS: readonly Tool[] = [
  { program: "qemu-system-x86_64", package: "qemu-system-x86", says: "--version" },
  { program: "busybox", package: "busybox-static", says: "--help" },
  { program: "cpio", package: "cpio", says: "--version" },
  { program: "depmod", package: "kmod", says: "--version" },
];

/** Why no guest can be had here; undefined: one can. Installs what it needs where this is root on Debian. */
export async function noGuest(): Promise<string | undefined> {
  if (arch() !== "x64") return `this is ${arch()}: the guest is an x86-64`;
  await installMissing((line) => console.log(line), GUEST_TOOLS);
  const [missing] = await Promise.all(
    GUEST_TOOLS.map(({ program }) =>
      execute("which", [program]).then(
        () => "",
        () => program,
      ),
    ),
  );
  return missing ? `${missing} is not installed and cannot be` : undefined;
}

/** Where Debian's kernel is kept between runs. */
const CACHE = "/var/cache/midcall";
/** Megabytes. chosen: Node.js and its libraries are 150 of them, twice: packed and unpacked. */
const MEMORY = 1_536;

export type Guest = {
  /** Programs of this machine to take along, by name or path, with their libraries. */
  readonly programs: readonly string[];
  /** Kernel modules to load, with those they need. */
  readonly modules: readonly string[];
  /** Files to take along: path in the guest to path here. */
  readonly files: ReadonlyMap<string, string>;
  /** Shell command (busybox) to run as root. */
  readonly command: string;
  readonly limitMs: number;
};

/** What the guest printed, and the status its command ended with; undefined when it did not end in time. */
export async function runGuest(guest: Guest): Promise<{ readonly output: string; readonly status: number | undefined }> {
  const kernel = await debianKernel();
  const folder = await mkdtemp(join(tmpdir(), "midcall-guest-"));
  try {
    const initramfs = await pack(guest, kernel, folder);
    const words = [
      ...["-accel", "tcg,thread=single", "-icount", "shift=2,sleep=off", "-cpu", "max", "-smp", "1", "-m", String(MEMORY)],
      ...["-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot", "-nic", "none"],
      ...["-kernel", kernel.image, "-initrd", initramfs, "-append", "console=ttyS0 quiet panic=-1"],
    ];
    // What happens in it takes no notice of how long it takes, so that everything else may go first (sched(7), SCHED_IDLE).
    const child = spawn("chrt", ["--idle", "0", "qemu-system-x86_64", ...words], {
      stdio: ["ignore", "pipe", "inherit"],
      timeout: guest.limitMs,
      killSignal: "SIGKILL",
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    await once(child, "close");
    const status = /^midcall-guest-status (\d+)/m.exec(output)?.[1];
    return { output, status: status === undefined ? undefined : Number(status) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Kernel = { readonly image: string; readonly version: string; readonly folder: string };

/** Debian's newest kernel for this machine, got once. */
async function debianKernel(): Promise<Kernel> {
  const { stdout } = await execute("apt-cache", ["depends", "linux-image-amd64"]);
  const version = /Depends: linux-image-(\S+-amd64)$/m.exec(stdout)?.[1];
  if (version === undefined) throw new Error(`apt-cache knows no linux-image-amd64: apt-get update\n${stdout}`);
  const folder = join(CACHE, `linux-${version}`);
  const found: Kernel = { image: join(folder, "boot", `vmlinuz-${version}`), version, folder };
  if (
    await access(found.image).then(
      () => true,
      () => false,
    )
  )
    return found;
  await mkdir(CACHE, { recursive: true });
  const fresh = await mkdtemp(join(CACHE, "fresh-"));
  try {
    await chmod(fresh, 0o755);
    await execute("apt-get", ["download", "-q", `linux-image-${version}`], { cwd: fresh });
    const deb = (await readdir(fresh)).find((name) => name.endsWith(".deb"));
    if (deb === undefined) throw new Error(`apt-get downloaded no linux-image-${version}`);
    await execute("dpkg", ["-x", deb, "root"], { cwd: fresh });
    await execute("depmod", ["-b", join(fresh, "root"), version]);
    await rename(join(fresh, "root"), folder).catch(async (cause) => {
      if (
        !(await access(found.image).then(
          () => true,
          () => false,
        ))
      )
        throw cause; // another run was faster
    });
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return found;
}

/** Writes the initramfs and returns its path. */
async function pack(guest: Guest, kernel: Kernel, folder: string): Promise<string> {
  const root = join(folder, "root");
  const put = async (from: string, to: string): Promise<void> => {
    await mkdir(dirname(join(root, to)), { recursive: true });
    await copyFile(from, join(root, to));
  };
  for (const name of ["proc", "sys", "dev", "run", "tmp", "etc"]) await mkdir(join(root, name), { recursive: true });
  const busybox = (await execute("which", ["busybox"])).stdout.trim();
  await put(busybox, "bin/busybox");
  for (const program of guest.programs) {
    const path = program.includes("/") ? program : (await execute("which", [program])).stdout.trim();
    await put(path, join("usr/bin", basename(path)));
    for (const [, library] of (await execute("ldd", [path])).stdout.matchAll(/(\/\S+) \(0x/g))
      if (library) await put(library, library);
  }
  const modules: string[] = [];
  for (const name of guest.modules) {
    const { stdout } = await execute("modprobe", ["-d", kernel.folder, "-S", kernel.version, "--show-depends", name]);
    for (const [, path] of stdout.matchAll(/^insmod (\S+)/gm)) {
      if (path === undefined || modules.includes(basename(path))) continue;
      modules.push(basename(path));
      await put(path, join("modules", basename(path)));
    }
  }
  for (const [to, from] of guest.files) await put(from, to);
  const init = [
    "#!/bin/busybox sh",
    "/bin/busybox --install -s /bin",
    "export PATH=/usr/bin:/bin HOME=/tmp",
    "mount -t proc p /proc; mount -t sysfs s /sys; mount -t devtmpfs d /dev; mount -t tmpfs t /run; mount -t tmpfs t /tmp",
    ...modules.map((name) => `insmod /modules/${name}`),
    "ip link set lo up",
    `( ${guest.command} ) 2>&1`,
    'echo "midcall-guest-status $?"',
    "sync; poweroff -f",
  ];
  await writeFile(join(root, "init"), `${init.join("\n")}\n`, { mode: 0o755 });
  const list = await execute("find", ["."], { cwd: root, maxBuffer: 1 << 24 });
  const archive = join(folder, "initramfs");
  const names = join(folder, "names");
  await writeFile(names, list.stdout);
  const cpio = spawn("cpio", ["-o", "-H", "newc", "--quiet"], { cwd: root, stdio: ["pipe", "pipe", "inherit"] });
  await Promise.all([pipeline(createReadStream(names), cpio.stdin), pipeline(cpio.stdout, createWriteStream(archive))]);
  await rm(root, { recursive: true });
  return archive;
}

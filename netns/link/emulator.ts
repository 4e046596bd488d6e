/**
 * The `emulator` driver, seen from the lab: a macvtap device over each end of every wire, and one process that moves the frames between them.
 * Needs no kernel module but macvtap; segments GSO batches into the packets they stand for, because a tap takes no batches.
 */
import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { extname, join } from "node:path";
import type { Instant } from "../../impl/base/units.ts";
import { run } from "../command.ts";
import { NetnsError } from "../netns-error.ts";
import { putFirst, WITHOUT_HELPERS } from "../precedence.ts";
import type { FromEmulator, ToEmulator } from "./emulator-messages.ts";
import type { Counters, LinkOptions, Links, Wire } from "./links.ts";
import { ip, receiveInOrder } from "./namespace-tools.ts";
import type { Reader } from "./tap.ts";

/** Frames that wait in a device while the emulator is not on the CPU. chosen: a second of 4,000 packets/s. */
const DEVICE_QUEUE = 4_096;
/** Milliseconds for the process to start or to answer. chosen: it takes some 100 ms; a loaded machine a few times that. */
const PATIENCE = 20_000;

const MAIN = join(import.meta.dirname, `emulator-main${extname(import.meta.filename)}`);

/** NetnsError `link` when the devices or the process cannot be had; nothing is left behind then. */
export async function attachEmulator(options: LinkOptions, reader: Reader = "pipe"): Promise<Links> {
  const { wires } = options;
  const numbers = new Map(wires.map((wire, index) => [`${wire.party}/${wire.interface}`, index]));
  const numberOf = (party: string, name: string): number => {
    const number = numbers.get(`${party}/${name}`);
    if (number === undefined) throw new RangeError(`interface: no wire of ${party}/${name}`);
    return number;
  };
  const folder = options.deviceFolder ?? deviceFolder(randomBytes(4).toString("hex"));
  await mkdir(folder, { mode: 0o700 }).catch((cause: Error) => {
    throw new NetnsError("link", `the link emulator's device files: ${cause.message}`, cause);
  });
  let child: ChildProcess | undefined;
  const takeDown = async (): Promise<void> => {
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    }
    await rm(folder, { recursive: true, force: true });
    await Promise.all(
      [...byNamespace(wires)].map(([namespace, own]) =>
        // Not all were made when attaching failed; and where the namespace is gone, its devices are too.
        ip(
          namespace,
          own.flatMap(([index]) => tapNames(index).map((tap) => `link del ${tap}`)),
          true,
        ).catch(() => ""),
      ),
    );
  };
  try {
    for (const [namespace, own] of byNamespace(wires)) await makeTaps(namespace, own, folder);
    // A thread for each device's blocking read, in case the pipe handle is not to be had, and some for the rest.
    const env = { ...process.env, UV_THREADPOOL_SIZE: String(2 * wires.length + 4), NODE_OPTIONS: "" };
    // Detached: a session of its own, which Ctrl-C does not reach and whose priority can be raised; it ends with its channel all the same.
    child = fork(MAIN, [], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      execArgv: [...WITHOUT_HELPERS],
      env,
      detached: true,
    });
    return await connect(options, child, numberOf, takeDown, folder, reader);
  } catch (cause) {
    await takeDown();
    throw cause;
  }
}

/** A folder for the device files of run `run`. In /dev: folders for temporary files, and /run, are often mounted without devices (nodev, mount(8)). */
export const deviceFolder = (run: string): string => `/dev/mc-taps-${run}`;

const captureName = (wire: Wire): string => `${wire.party}-${wire.interface}.pcapng`;

const tapNames = (wire: number): readonly [inner: string, outer: string] => [`lt${wire}i`, `lt${wire}o`];

function byNamespace(wires: readonly Wire[]): Map<string, (readonly [number, Wire])[]> {
  const groups = new Map<string, (readonly [number, Wire])[]>();
  wires.forEach((wire, index) => {
    const group = groups.get(wire.namespace) ?? [];
    group.push([index, wire]);
    groups.set(wire.namespace, group);
  });
  return groups;
}

async function makeTaps(namespace: string, wires: readonly (readonly [number, Wire])[], folder: string): Promise<void> {
  const ends = wires.flatMap(([index, wire]) => {
    const [inner, outer] = tapNames(index);
    return [
      { device: wire.inner, tap: inner },
      { device: wire.outer, tap: outer },
    ];
  });
  await ip(
    namespace,
    ends.flatMap(({ device, tap }) => [
      `link add link ${device} name ${tap} type macvtap mode passthru`,
      `link set ${tap} txqueuelen ${DEVICE_QUEUE} up`,
      `link set ${device} up`,
    ]),
  );
  await receiveInOrder(
    namespace,
    ends.map(({ device }) => device),
  );
  // `ip netns exec` shows the namespace's own /sys, where each tap tells the number of its character device.
  const script = 'for tap; do mknod -m 600 "$0/$tap" c $(cat /sys/class/net/$tap/tap*/dev | tr : " ") || exit 1; done';
  await run("ip", ["netns", "exec", namespace, "sh", "-c", script, folder, ...ends.map(({ tap }) => tap)]);
}

async function connect(
  options: LinkOptions,
  child: ChildProcess,
  numberOf: (party: string, name: string) => number,
  takeDown: () => Promise<void>,
  folder: string,
  reader: Reader,
): Promise<Links> {
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-4_000);
  });
  let closing: Promise<void> | undefined;
  let broken: NetnsError | undefined;
  let attached = false;
  let counters: readonly Counters[] = [];
  let touched: ReadonlyMap<number, number> = new Map();
  const faults = new Set<number>();
  let requests = 0;
  let overlays = 0;
  const waiting = new Map<number | "attached", { resolve: () => void; reject: (error: Error) => void }>();

  const wait = (key: number | "attached"): Promise<void> =>
    new Promise((resolve, reject) => {
      if (broken !== undefined) return reject(broken);
      const patience = setTimeout(() => lose(`no answer within ${PATIENCE / 1_000} s`), PATIENCE);
      const done = (): void => {
        clearTimeout(patience);
        waiting.delete(key);
      };
      waiting.set(key, {
        resolve: () => {
          done();
          resolve();
        },
        reject: (error) => {
          done();
          reject(error);
        },
      });
    });
  const lose = (reason: string, cause?: unknown): void => {
    if (broken !== undefined || closing !== undefined) return;
    const tail = stderr.trim();
    broken = new NetnsError("link", `the link emulator: ${reason}${tail === "" ? "" : `\n${tail}`}`, cause);
    for (const one of [...waiting.values()]) one.reject(broken);
    if (attached) options.failed?.(broken);
  };
  const send = (order: ToEmulator): void => {
    if (closing === undefined && broken === undefined && child.connected) child.send(order);
  };

  child.on("error", (cause) => lose(cause.message, cause));
  child.on("exit", (code, signal) => {
    lose(`ended by ${signal ?? `exit code ${code}`}`);
    for (const one of [...waiting.values()]) one.reject(broken ?? new NetnsError("link", "the link emulator is closed"));
  });
  child.on("message", (message: FromEmulator) => {
    switch (message.type) {
      case "started":
        return send({
          type: "attach",
          epoch: options.epoch,
          seed: options.seed,
          reader,
          wires: options.wires.map((wire, index) => {
            const { up, down } = options.models(wire.party, wire.interface);
            const [inner, outer] = tapNames(index).map((tap) => join(folder, tap)) as [string, string];
            const near = options.near?.(wire.party, wire.interface) ?? [];
            const capture = options.capture === undefined ? {} : { capture: join(options.capture, captureName(wire)) };
            return { party: wire.party, interface: wire.interface, up, down, near, inner, outer, ...capture };
          }),
        });
      case "attached":
        return waiting.get("attached")?.resolve();
      case "drops":
        for (const [at, drop] of message.drops) options.say(at as Instant, drop);
        return;
      case "stall":
        return options.say(message.at as Instant, message.stall);
      case "settled":
        counters = message.counters;
        touched = new Map(message.touched);
        return waiting.get(message.request)?.resolve();
      case "failed":
        return lose(message.reason);
    }
  });

  await wait("attached");
  attached = true;
  // It had the 99th percentile of lateness from 7 ms to below 1, on two loaded cores.
  if (child.pid !== undefined) await putFirst(child.pid, "link");
  // The process holds the devices open; their names are of no more use, and nothing is left should the lab be killed.
  await rm(folder, { recursive: true, force: true });
  const settled = (): Promise<void> => {
    const request = requests++;
    const answer = wait(request);
    send({ type: "settle", request, faults: [...faults] });
    return answer;
  };
  await settled();
  const undo = (overlay: number) => (): void => send({ type: "undo", overlay });
  return {
    driver: "emulator",
    begin: (epoch) => send({ type: "begin", epoch }),
    lay(party, name, direction, model, fault) {
      const overlay = overlays++;
      faults.add(fault);
      send({ type: "lay", overlay, wire: numberOf(party, name), direction, model, fault });
      return undo(overlay);
    },
    sever(party, name, fault) {
      const overlay = overlays++;
      send({ type: "sever", overlay, wire: numberOf(party, name), ...(fault === undefined ? {} : { fault }) });
      return undo(overlay);
    },
    setNear: (party, name, hosts) => send({ type: "near", wire: numberOf(party, name), hosts }),
    settled,
    touched: (fault) => touched.get(fault) ?? 0,
    counters(party, name) {
      const found = counters[numberOf(party, name)];
      if (found === undefined) throw new RangeError(`interface: no counters of ${party}/${name}`);
      return found;
    },
    close() {
      const last = closing ?? (broken === undefined ? settled().catch(() => {}) : Promise.resolve()).then(takeDown);
      closing = last;
      return last;
    },
  };
}

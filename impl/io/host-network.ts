/**
 * Tells a party of its host's network as it changes. `ip monitor` (iproute2, rtnetlink) says that something changed; what there is then is read from the system:
 * interfaces that are up and carry (getifaddrs), what becomes of their IPv6 addresses (address-flags.ts), and which of them traffic without a nearer route leaves from (a UDP socket is connected, which sends nothing,
 * and asked for the address the kernel gave it). Where `ip` is missing the same is read several times a second.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import type { NetworkInterface } from "../core/effect.ts";
import { type AddressFlags, addressFlags } from "./address-flags.ts";

export type HostNetworkOptions = {
  /** Told the first state and then every other one that differs from the last. `gateway`: see HostNetwork. */
  readonly told: (interfaces: readonly NetworkInterface[], gateway: string | undefined) => void;
  /** Told as soon as the system says that something changes, before it is known what. */
  readonly stirs?: () => void;
  /** Told once when changes are looked for instead of listened for, and why. */
  readonly note: (text: string) => void;
  /** The command that listens; `ip` unless told otherwise. */
  readonly command?: string;
};

/** A change comes as several messages (link, address, route). chosen: they follow each other within 1 ms; a scheduler's tick or two more. */
const QUIET_MS = 5;
/** An interface that never rests is read all the same. chosen: a frame and a half of voice. */
const PATIENCE_MS = 30;
/** chosen: a missed message (a full netlink buffer) costs a second at most. */
const CHECK_MS = 1_000;
/** Without `ip`. chosen: 0.2 ms of work each time, and a change is noticed within a tenth of a second. */
const POLL_MS = 100;
/** Somewhere beyond the default route (RFC 5737, RFC 3849): nothing is ever sent there. */
const BEYOND = { 4: "192.0.2.1", 6: "2001:db8::1" } as const;
const DISCARD = 9;

/** Listens until `close`, which leaves no process behind; a party that is killed leaves none either. */
export function watchHostNetwork(options: HostNetworkOptions): { close(): void } {
  let known: string | undefined;
  let isOpen = true;
  let isReading = false;
  let isStale = false;
  let burstSince: number | undefined;
  let settle: NodeJS.Timeout | undefined;
  let check: NodeJS.Timeout | undefined;

  const read = async (): Promise<void> => {
    clearTimeout(settle);
    burstSince = undefined;
    if (isReading) {
      isStale = true;
      return;
    }
    isReading = true;
    try {
      do {
        isStale = false;
        const found = await hostInterfaces();
        const gateway = await defaultGateway(found.find((one) => one.isDefault)?.name);
        const text = JSON.stringify([found, gateway]);
        if (!isOpen || text === known) continue;
        known = text;
        options.told(found, gateway);
      } while (isStale && isOpen);
    } finally {
      isReading = false;
    }
  };
  const every = (ms: number): void => {
    clearInterval(check);
    if (isOpen) check = setInterval(() => void read(), ms);
  };
  const changed = (): void => {
    if (!isOpen) return;
    const now = performance.now();
    if (burstSince === undefined) options.stirs?.();
    burstSince ??= now;
    clearTimeout(settle);
    settle = setTimeout(() => void read(), Math.max(0, Math.min(QUIET_MS, burstSince + PATIENCE_MS - now)));
  };
  every(CHECK_MS);
  const monitor = listen(options.command ?? "ip", changed, (why) => {
    if (!isOpen) return;
    options.note(`network changes are looked for every ${POLL_MS} ms: ${why}`);
    every(POLL_MS);
  });
  void read();
  return {
    close: () => {
      isOpen = false;
      clearTimeout(settle);
      clearInterval(check);
      monitor.stdin?.destroy();
    },
  };
}

/**
 * `ip monitor` under a shell that ends it as soon as our end of its standard input is closed, be it because this process was killed: no monitor outlives its party.
 * The shell lets go of the output, so that its end is the monitor's.
 */
const UNDER_WATCH =
  'command -v "$0" >/dev/null || exit 127; "$0" monitor link address route & exec >/dev/null; read -r never; kill $! 2>/dev/null';

function listen(command: string, changed: () => void, lost: (why: string) => void): ChildProcess {
  const child = spawn("/bin/sh", ["-c", UNDER_WATCH, command], { stdio: ["pipe", "pipe", "ignore"] });
  let isLost = false;
  const lose = (why: string): void => {
    if (!isLost) lost(why);
    isLost = true;
    child.stdin?.destroy();
  };
  child.on("error", (error) => lose(`no shell to run ${command} monitor in (${error.message})`));
  child.on("exit", (code) => lose(code === 127 ? `${command} is not installed (iproute2)` : `${command} monitor ended`));
  child.stdin?.on("error", () => undefined);
  child.stdout?.on("data", changed);
  child.stdout?.on("end", () => child.stdin?.destroy()); // the monitor is gone: the shell follows, and says why
  return child;
}

/** Interfaces other than loopback that are up and carry, in the order of their names, with the addresses that are theirs for certain. */
export async function hostInterfaces(): Promise<readonly NetworkInterface[]> {
  const [flags, ...found] = await Promise.all([addressFlags(), sourceTowards(4), sourceTowards(6)]);
  const ways = new Set(found);
  return Object.entries(networkInterfaces())
    .flatMap(([name, entries]) => {
      const of = (one: string): AddressFlags | undefined => flags.get(`${name} ${one}`);
      const addresses = (entries ?? []).flatMap((one) => (one.internal || of(one.address)?.isUnassigned ? [] : [one.address]));
      const temporary = addresses.filter((one) => of(one)?.isTemporary);
      const deprecated = addresses.filter((one) => of(one)?.isDeprecated);
      if (addresses.length === 0) return [];
      return [
        {
          ...{ name, addresses, isDefault: addresses.some((one) => ways.has(one)) },
          ...(temporary.length === 0 ? {} : { temporary }),
          ...(deprecated.length === 0 ? {} : { deprecated }),
        },
      ];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** RTF_GATEWAY of linux/route.h. */
const HAS_GATEWAY = 0x2;

/** The IPv4 router that the best default route by `device` leads to (proc(5), /proc/net/route); undefined without one, or without such a file. */
async function defaultGateway(device: string | undefined): Promise<string | undefined> {
  const table = device === undefined ? "" : await readFile("/proc/self/net/route", "utf8").catch(() => "");
  const routes = table.split("\n").map((line) => line.split(/\s+/));
  const [best] = routes
    .filter(
      ([name, to, , flags, , , , mask]) => name === device && isZero(to) && isZero(mask) && (hex(flags) & HAS_GATEWAY) !== 0,
    )
    .sort((a, b) => Number(a[6]) - Number(b[6]));
  // Four octets as this machine's processor keeps them in a word: least significant first, on all that Node.js runs Linux on but s390x.
  return best?.[2] === undefined ? undefined : [6, 4, 2, 0].map((at) => hex(best[2]?.slice(at, at + 2))).join(".");
}

const hex = (digits: string | undefined): number => Number.parseInt(digits ?? "0", 16);
const isZero = (digits: string | undefined): boolean => digits !== undefined && /^0+$/.test(digits);

/** The address that the kernel would send from to somewhere it has no nearer route to; undefined without a default route. */
function sourceTowards(family: 4 | 6): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket({ type: family === 4 ? "udp4" : "udp6", lookup: (name, _, done) => done(null, name, family) });
    const done = (found: string | undefined): void => {
      socket.close();
      resolve(found);
    };
    socket.once("error", () => done(undefined));
    socket.connect(DISCARD, BEYOND[family], () => done(socket.address().address));
  });
}

/**
 * Packets that a namespace's rules refuse, told one by one: a rule that refuses goes to a chain called `refused_CAUSE`, which marks the packet for
 * nftables' trace (nft(8), `monitor trace`) and drops it. Nothing is asked of packets that pass, and nothing has to be polled.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { address } from "../impl/base/address.ts";
import type { DropRecord } from "../impl/base/record.ts";
import type { RejectAnswer } from "../scenarios/middlebox.ts";
import type { NftFamily } from "./nft-family.ts";

/** Why boxes and hosts refuse a packet. */
export type RefusalCause = Extract<
  DropRecord["cause"],
  "nat-filtering" | "nat-no-mapping" | "nat-exhausted" | "no-route" | "port-closed" | "blocked"
>;

/** One packet refused. */
export type Refusal = {
  readonly cause: RefusalCause;
  /** `a.b.c.d:port` or `[v6]:port` as the packet bore them when it was refused; of a closed port only the hosts, without ports. */
  readonly from: string;
  readonly to: string;
  /** Octets of its IP packet. */
  readonly bytes: number;
  /** The fault whose rule refused it, where the rule is a fault's own. */
  readonly fault?: number;
};

/** ICMP and IP headers around a packet that met a closed port (RFC 792, RFC 4443), octets, and the header that IPv6 does not count in its length (RFC 8200). */
const UNREACHABLE = { ip: 28, ip6: 48 } as const;
const UNCOUNTED = { ip: 0, ip6: 40 } as const;

const chainOf = (cause: RefusalCause, fault?: number, answer?: RejectAnswer): string =>
  `refused_${cause.replaceAll("-", "_")}${fault === undefined ? "" : `_by_${fault}`}${answer === undefined ? "" : "_answered"}`;

/** The rest of a rule that refuses: the chain is one of `refusalChains`. */
export const refuse = (cause: RefusalCause, fault?: number, answer?: RejectAnswer): string =>
  `goto ${chainOf(cause, fault, answer)}`;

/** The chains that a table needs whose rules `refuse` for these causes; with an `answer` the sender hears of it by ICMP. */
export const refusalChains = (
  causes: readonly RefusalCause[],
  fault?: number,
  answer?: RejectAnswer,
  family: NftFamily = "ip",
): readonly string[] =>
  causes.flatMap((cause) => [
    ` chain ${chainOf(cause, fault, answer)} {`,
    "  meta nftrace set 1",
    answer === undefined ? "  drop" : `  reject with ${family === "ip" ? "icmp" : "icmpv6"} ${answer}`,
    " }",
  ]);

const CAUSES = new Map<string, RefusalCause>(
  (["nat-filtering", "nat-no-mapping", "nat-exhausted", "no-route", "port-closed", "blocked"] as const).map((cause) => [
    chainOf(cause),
    cause,
  ]),
);

/** Reads one line of `nft monitor trace`; undefined for one that tells of no refusal. Never throws. */
export function parseTrace(line: string): Refusal | undefined {
  const [, chain = "", packet = ""] = /^trace id \S+ \S+ \S+ (refused_\w+) packet: (.*)$/.exec(line) ?? [];
  const [, plain = "", by] = /^(\w+?)(?:_by_(\d+))?(?:_answered)?$/.exec(chain) ?? [];
  const cause = CAUSES.get(plain);
  const [, family, from, to] = /\b(ip6?) saddr ([\da-f.:]+) \1 daddr ([\da-f.:]+)/.exec(packet) ?? [];
  const length = /\bip6? length (\d+)/.exec(packet)?.[1];
  if (cause === undefined || from === undefined || to === undefined || length === undefined) return undefined;
  const version = family === "ip6" ? "ip6" : "ip";
  const bytes = Number(length) + UNCOUNTED[version];
  // What tells of a closed port is the host's answer, which goes the other way.
  if (cause === "port-closed") return { cause, from: to, to: from, bytes: Math.max(0, bytes - UNREACHABLE[version]) };
  const [, source, destination] = /\budp sport (\d+) udp dport (\d+)/.exec(packet) ?? [];
  if (source === undefined || destination === undefined) return undefined;
  return {
    cause,
    from: address(from, Number(source)),
    to: address(to, Number(destination)),
    bytes,
    ...(by === undefined ? {} : { fault: Number(by) }),
  };
}

/**
 * Starts the monitor, says `up` once it listens, and ends it when standard input does. It listens when the kernel's table of netlink sockets (netlink(7)) shows one of its own, of
 * NETLINK_NETFILTER (12), in a group.
 */
const WATCH = `
nft monitor trace & monitor=$!
until [ "$up" ] || ! kill -0 $monitor 2>/dev/null; do
  while read -r _ family port groups _; do
    [ "$family $port" = "12 $monitor" ] && [ "$groups" != 00000000 ] && up=1
  done </proc/net/netlink
  [ "$up" ] || sleep 0.01
done
echo up
read -r nothing
kill $monitor
`;

export type Watch = {
  /** Resolves when what is refused from now on is told, or when the monitor cannot be had. */
  readonly up: Promise<unknown>;
  close(): Promise<void>;
};

/**
 * Calls `told` for every packet that a namespace refuses, some milliseconds after it was. Ends with `close`, or with this process: the monitor's shell reads
 * from a pipe that nobody writes to. A monitor that cannot be started tells nothing; refused packets are then lost without a word.
 */
export function watchRefusals(namespace: string, told: (refusal: Refusal) => void): Watch {
  const shell = spawn("ip", ["netns", "exec", namespace, "sh", "-c", WATCH], {
    stdio: ["pipe", "pipe", "ignore"],
    detached: true,
  });
  shell.on("error", () => undefined);
  shell.stdin.on("error", () => undefined);
  const gone = once(shell, "close").catch(() => undefined);
  const up = new Promise<void>((resolve) => {
    createInterface({ input: shell.stdout }).on("line", (line) => {
      if (line === "up") resolve();
      const refusal = parseTrace(line);
      if (refusal !== undefined) told(refusal);
    });
  });
  return {
    up: Promise.race([up, gone]),
    close: async () => {
      shell.stdin.end();
      await gone;
    },
  };
}

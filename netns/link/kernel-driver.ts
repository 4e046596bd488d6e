/**
 * The `netem` and `nft` drivers: a bridge joins the two devices of each wire; nftables loses packets on the way in, queueing disciplines delay
 * and limit them on the way out. The kernel counts what it drops but does not tell when: drops are read every quarter of a second and
 * told with the instant of the reading and the mean size of those read together.
 */
import { randomness } from "../../impl/base/random.ts";
import type { Instant } from "../../impl/base/units.ts";
import { monotonicClock } from "../../impl/io/monotonic-clock.ts";
import { type InForce, Link } from "../../scenarios/impairment/link.ts";
import { NetnsError } from "../netns-error.ts";
import { type KernelDriver, objection } from "./expressible.ts";
import type { Counters, DirectionCounters, LinkOptions, Links, Wire } from "./links.ts";
import { ip, nft, receiveInOrder, tc, tcShow } from "./namespace-tools.ts";
import {
  type Counted,
  countsOf,
  lostCounter,
  othersCounter,
  packetsCounter,
  type Rules,
  rules,
  severedCounter,
  skeleton,
} from "./nft-rules.ts";
import { plant, prune, type QueueCounts, queueCounts } from "./tc-tree.ts";

/** Milliseconds between readings of the counters. chosen: fine enough for a report's timeline, a few per cent of one processor. */
const READ_EVERY = 250;

type Way = "up" | "down";
const WAYS: readonly Way[] = ["up", "down"];

type Side = {
  /** Keeps the book of overlays; no packet goes through it. */
  readonly link: Link;
  readonly rules: Rules;
  /** Where the direction enters and leaves. */
  readonly from: string;
  readonly to: string;
  severedBy: readonly { readonly fault: number | undefined }[];
  /** What the kernel was last told; the book may be ahead of it. */
  inForce: InForce;
  /** As last read. */
  seen: Reading;
};
type Reading = {
  readonly counters: ReadonlyMap<string, { readonly packets: number; readonly bytes: number }>;
  readonly queue: QueueCounts;
};
type Joined = Wire & { readonly table: string; readonly bridge: string; readonly up: Side; readonly down: Side };

const NOTHING: Reading = { counters: new Map(), queue: { sent: 0, queueFull: 0, held: 0 } };

/** NetnsError `link` when a model is beyond the driver or the kernel refuses; nothing is left behind then. */
export async function attachKernel(options: LinkOptions, driver: KernelDriver): Promise<Links> {
  if (options.capture !== undefined) throw refusal(driver, "capture", "captures");
  let clock = monotonicClock(options.epoch);
  const draws = randomness(options.seed);
  const joined = options.wires.map((wire, index): Joined => {
    const name = `${wire.party}/${wire.interface}`;
    const models = options.models(wire.party, wire.interface);
    if ((options.near?.(wire.party, wire.interface) ?? []).length > 0) throw refusal(driver, name, "a LAN hop of its own");
    const side = (way: Way, from: string, to: string): Side => {
      const link = new Link(`${name}/${way}`, models[way], draws);
      return { link, rules: rules(`lt${index}`, way), from, to, severedBy: [], inForce: link.inForce, seen: NOTHING };
    };
    const made = { up: side("up", wire.inner, wire.outer), down: side("down", wire.outer, wire.inner) };
    for (const way of WAYS) {
      const against = objection(driver, made[way].link.inForce);
      if (against !== undefined) throw refusal(driver, `${name}/${way}`, against);
    }
    return { ...wire, table: `lt${index}`, bridge: `lt${index}b`, ...made };
  });
  const wireOf = (party: string, name: string): Joined => {
    const found = joined.find((one) => one.party === party && one.interface === name);
    if (found === undefined) throw new RangeError(`interface: no wire of ${party}/${name}`);
    return found;
  };
  const touched = new Map<number, number>();
  const touch = (fault: number | undefined, packets: number): void => {
    if (fault !== undefined && packets > 0) touched.set(fault, (touched.get(fault) ?? 0) + packets);
  };

  const read = async (wire: Joined): Promise<void> => {
    const [counters, up, down] = await Promise.all([
      nft(wire.namespace, ["-j", "list", "table", "netdev", wire.table]),
      tcShow(wire.namespace, ["-s", "-j", "qdisc", "show", "dev", wire.up.to]),
      tcShow(wire.namespace, ["-s", "-j", "qdisc", "show", "dev", wire.down.to]),
    ]);
    const counted = countsOf(counters);
    for (const way of WAYS) {
      const side = wire[way];
      const next: Reading = { counters: counted, queue: queueCounts(way === "up" ? up : down) };
      report(wire, way, side.seen, next);
      side.seen = next;
    }
  };
  const report = (wire: Joined, way: Way, before: Reading, now: Reading): void => {
    const at = clock.now();
    const where = `${wire.party}/${wire.interface}/${way}`;
    const { inForce } = wire[way];
    const tell = (cause: "loss" | "link-down" | "queue", packets: number, bytes: number, fault: number | undefined): void => {
      for (let i = 0; i < packets; i++)
        options.say(at as Instant, {
          ev: "drop",
          where,
          cause,
          bytes: Math.round(bytes / packets),
          ...(fault === undefined ? {} : { fault }),
        });
    };
    for (const [name, count] of now.counters) {
      const of = /^(up|down)_(lost|severed)_(.+)$/.exec(name);
      if (of?.[1] !== way) continue;
      const old = before.counters.get(name);
      const fault = of[3] === "base" ? undefined : Number(of[3]);
      tell(of[2] === "lost" ? "loss" : "link-down", count.packets - (old?.packets ?? 0), count.bytes - (old?.bytes ?? 0), fault);
    }
    const arrived = counted(now, packetsCounter(way));
    const size = arrived.packets === 0 ? 0 : arrived.bytes / arrived.packets;
    const full = now.queue.queueFull - before.queue.queueFull;
    tell("queue", full, full * size, inForce.by.rate);
    const entered = passed(now, way) - passed(before, way);
    for (const fault of inForce.shapers) touch(fault, entered);
    touch(inForce.by.duplicate, copies(now, way) - copies(before, way));
  };

  let work: Promise<void> = Promise.resolve();
  let closing: Promise<void> | undefined;
  let broken: Error | undefined;
  const inTurn = (task: () => Promise<void>): Promise<void> => {
    work = work.then(async () => {
      if (broken !== undefined) return;
      try {
        await task();
      } catch (cause) {
        broken = cause instanceof Error ? cause : new NetnsError("link", String(cause), cause);
        if (closing === undefined) options.failed?.(broken);
      }
    });
    return work;
  };
  const readAll = (): Promise<void> =>
    inTurn(async () => {
      for (const wire of joined) await read(wire);
    });
  const takeDown = async (): Promise<void> => {
    for (const wire of joined) {
      // Not all was made when attaching failed; and where the namespace is gone, all in it is too.
      await tc(wire.namespace, [`qdisc del dev ${wire.inner} root`, `qdisc del dev ${wire.outer} root`], true).catch(() => "");
      await nft(wire.namespace, ["delete", "table", "netdev", wire.table]).catch(() => "");
      await ip(wire.namespace, [`link del ${wire.bridge}`]).catch(() => "");
    }
  };

  try {
    for (const wire of joined) await join(wire, driver);
  } catch (cause) {
    await takeDown();
    throw cause;
  }
  // Where a reading takes longer than that, the next ones must not queue up behind it.
  let isReading = false;
  const readUnlessReading = async (): Promise<void> => {
    if (isReading) return;
    isReading = true;
    await readAll();
    isReading = false;
  };
  const reading = setInterval(() => void readUnlessReading(), READ_EVERY);
  reading.unref();

  /** Puts the book's new state in force: what is in force at this moment is kept for when its turn comes. */
  const apply = (wire: Joined, ways: readonly Way[]): void => {
    const wanted = ways.map((way) => ({ side: wire[way], inForce: wire[way].link.inForce, severed: wire[way].severedBy[0] }));
    void inTurn(async () => {
      await read(wire); // what happened until now happened under the old rules
      const script = wanted.map(({ side, inForce, severed }) => side.rules.update(inForce, severed)).join("");
      await nft(wire.namespace, ["-f", "-"], script);
      await tc(
        wire.namespace,
        wanted.flatMap(({ side, inForce }) => prune(side.to, driver, inForce.model)),
      );
      for (const { side, inForce } of wanted) side.inForce = inForce;
    });
  };

  return {
    driver,
    begin: (epoch) => {
      clock = monotonicClock(epoch);
    },
    lay(party, name, direction, overlay, fault) {
      const wire = wireOf(party, name);
      const ways = direction === "both" ? WAYS : [direction];
      const undo = ways.map((way) => wire[way].link.lay(overlay, fault));
      const takeOff = (): void => {
        for (const one of undo) one();
      };
      for (const way of ways) {
        const against = objection(driver, wire[way].link.inForce);
        if (against === undefined) continue;
        takeOff();
        throw refusal(driver, `${party}/${name}/${way}`, against);
      }
      apply(wire, ways);
      let laid = true;
      return () => {
        if (!laid) return;
        laid = false;
        takeOff();
        apply(wire, ways);
      };
    },
    sever(party, name, fault) {
      const wire = wireOf(party, name);
      const by = { fault };
      for (const way of WAYS) wire[way].severedBy = [...wire[way].severedBy, by];
      apply(wire, WAYS);
      return () => {
        for (const way of WAYS) wire[way].severedBy = wire[way].severedBy.filter((one) => one !== by);
        apply(wire, WAYS);
      };
    },
    setNear(party, name, hosts) {
      wireOf(party, name);
      if (hosts.length > 0) throw refusal(driver, `${party}/${name}`, "a LAN hop of its own");
    },
    async settled() {
      await work;
      await readAll();
      if (broken !== undefined) throw broken;
    },
    touched: (fault) => touched.get(fault) ?? 0,
    counters(party, name): Counters {
      const wire = wireOf(party, name);
      return { up: told(wire.up.seen, "up"), down: told(wire.down.seen, "down") };
    },
    close() {
      if (closing === undefined) {
        clearInterval(reading);
        closing = work.then(readAll).then(takeDown);
      }
      return closing;
    },
  };
}

const refusal = (driver: KernelDriver, where: string, what: string): NetnsError =>
  new NetnsError("link", `${where}: the ${driver} driver cannot do ${what}; the emulator can`);

async function join(wire: Joined, driver: KernelDriver): Promise<void> {
  await ip(wire.namespace, [
    `link add ${wire.bridge} type bridge stp_state 0 forward_delay 0 ageing_time 0 mcast_snooping 0`,
    `link set ${wire.inner} master ${wire.bridge}`,
    `link set ${wire.outer} master ${wire.bridge}`,
    `link set ${wire.bridge} addrgenmode none up`,
    `link set ${wire.inner} up`,
    `link set ${wire.outer} up`,
  ]);
  await receiveInOrder(wire.namespace, [wire.inner, wire.outer]);
  const { up, down } = wire;
  const first = [up, down].map((side) => side.rules.update(side.inForce, undefined)).join("");
  await nft(wire.namespace, ["-f", "-"], `${skeleton(wire.table, { up: up.from, down: down.from })}${first}`);
  await tc(
    wire.namespace,
    [up, down].flatMap((side) => plant(side.to, driver, side.inForce.model)),
  );
}

const counted = (reading: Reading, name: string): Counted => reading.counters.get(name) ?? { packets: 0, bytes: 0 };

/** Packets of all counters whose names begin so. */
const sum = (reading: Reading, prefix: string): number =>
  [...reading.counters].reduce((total, [name, { packets }]) => (name.startsWith(prefix) ? total + packets : total), 0);

const lost = (reading: Reading, way: Way): number => sum(reading, lostCounter(way, undefined).replace("base", ""));
const severed = (reading: Reading, way: Way): number => sum(reading, severedCounter(way, undefined).replace("base", ""));
/** Packets that reached the queueing disciplines. */
const passed = (reading: Reading, way: Way): number =>
  counted(reading, packetsCounter(way)).packets - lost(reading, way) - severed(reading, way);
const copies = (reading: Reading, way: Way): number =>
  Math.max(0, reading.queue.sent + reading.queue.queueFull + reading.queue.held - passed(reading, way));

const told = (reading: Reading, way: Way): DirectionCounters => ({
  packets: counted(reading, packetsCounter(way)).packets,
  bytes: counted(reading, packetsCounter(way)).bytes,
  lost: lost(reading, way),
  altered: 0,
  queueFull: reading.queue.queueFull,
  severed: severed(reading, way),
  copies: copies(reading, way),
  delivered: reading.queue.sent,
  others: counted(reading, othersCounter(way)).packets,
  meanDelay: undefined,
  lateness: undefined,
});

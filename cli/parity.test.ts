/**
 * The QUIC model of the simulator against the real engine under the same link conditions, in a table. The model runs in virtual time,
 * the engine in real time over loopback sockets and a UDP proxy, so tolerances allow for a busy machine and, under loss, for luck.
 */
import { afterAll, describe, expect, test } from "vitest";
import { type Instant, millis } from "../impl/base/units.ts";
import type { SessionSide, SessionWorld } from "../impl/core/session.contract.ts";
import type { SessionConfig, SessionEvent, SessionId } from "../impl/core/session.ts";
import { quicWorld } from "../impl/io/quic-world.fixture.ts";
import { makePair } from "../sim/quic/pair.fixture.ts";

const CONFIG: SessionConfig = {
  handshakeTimeout: millis(5_000),
  idleTimeout: millis(2_500),
  keepAlive: millis(1_000),
  silence: millis(300),
};
const DELAYS = [0, 25, 100] as const;
const LOSSES = [0, 0.1, 0.3] as const;
/** Sessions of which each sends the same messages, one after the other so that no socket buffer overflows. */
const SESSIONS = 41;
const MESSAGES = 20;
/** Seeds of the model whose sessions are pooled: its quartiles are then its own, not luck. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
/** What a two-core machine with other work may add to any measurement in real time, milliseconds. */
const JITTER = 15;
/**
 * How many times as much again a stall of this process adds, as the engine takes it for a variance of the round trip: a probe waits for four variances, and twice as long when
 * the one before was lost too (RFC 9002 section 6.2.1). Stalls are measured beside it: on an idle machine nothing of this is granted.
 */
const STALLS = 8;

/** Takes one or more samples of the same thing, in milliseconds. */
type Measure = (world: SessionWorld) => Promise<number[]>;

const eventAt = (side: SessionSide, session: SessionId, type: SessionEvent["type"]): Instant | undefined =>
  side.observer.seen.find((seen) => seen.type === "event" && seen.session === session && seen.event.type === type)?.at;
const accepted = (world: SessionWorld): SessionId[] =>
  world.server.observer.seen.flatMap((seen) => (seen.type === "accepted" ? [seen.session] : []));
const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? Number.NaN;
const sinceMillis = (from: number, to: Instant | undefined): number => (to === undefined ? Number.NaN : (to - from) / 1_000);

/** Dials sessions 1 to `count` one after the other; the server's numbers for them in that order. */
async function connect(world: SessionWorld, count: number): Promise<SessionId[]> {
  for (let session = 1; session <= count; session++) {
    world.client.endpoint.connect(session, world.serverAddress, world.serverPin);
    await world.run(() => accepted(world).length === session, 3_000);
  }
  await world.run(() => false, 150); // handshakes confirmed, ACKs settled
  return accepted(world);
}

const handshake =
  (delayMillis: number): Measure =>
  async (world) => {
    await connect(world, 1); // the engine's first one pays for loading it
    world.impair({ delayMillis });
    for (let session = 2; session <= 6; session++) {
      world.client.endpoint.connect(session, world.serverAddress, world.serverPin);
      await world.run(() => eventAt(world.client, session, "connected") !== undefined, 3_000);
    }
    return world.client.observer.seen.flatMap((seen) =>
      seen.type === "event" && seen.session > 1 && seen.event.type === "connected" ? [seen.event.handshake / 1_000] : [],
    );
  };

/** From the sending of all messages of a session to the arrival of the last; the limit when it did not arrive. */
const delivery =
  (delayMillis: number, lossRatio: number): Measure =>
  async (world) => {
    const limitMillis = 2_000;
    const servers = await connect(world, SESSIONS);
    world.impair({ delayMillis });
    await exchange(world, servers, 3); // estimates settle to the delay
    world.impair({ lossRatio });
    const began: number[] = [];
    const ended = servers.map(() => ({ count: 0, at: undefined as Instant | undefined }));
    world.server.observer.react = (seen) => {
      if (seen.type !== "event" || seen.event.type !== "message") return;
      const own = ended[servers.indexOf(seen.session)];
      if (own !== undefined && ++own.count === MESSAGES) own.at = seen.at;
    };
    for (let session = 1; session <= SESSIONS; session++) {
      began.push(world.now());
      for (let i = 0; i < MESSAGES; i++) world.client.endpoint.send(session, new Uint8Array(200));
      await world.run(() => false, 10);
    }
    const enough = (): boolean => ended.filter((own) => own.at !== undefined).length > 0.8 * SESSIONS;
    await world.run(enough, limitMillis);
    return ended.map((own, i) => (own.at === undefined ? limitMillis : sinceMillis(began[i] ?? 0, own.at)));
  };

/** A few messages in each direction on every session. */
async function exchange(world: SessionWorld, servers: readonly SessionId[], rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const [i, server] of servers.entries()) {
      world.client.endpoint.send(i + 1, new Uint8Array(20));
      world.server.endpoint.send(server, new Uint8Array(20));
    }
    await world.run(() => false, 60);
  }
  await world.run(() => false, 200);
}

const idle: Measure = async (world) => {
  world.impair({ delayMillis: 25 });
  await connect(world, 1);
  world.impair({ blocked: true });
  const began = world.now();
  world.client.endpoint.sendDatagram(1, new Uint8Array(100));
  await world.run(() => eventAt(world.client, 1, "closed") !== undefined, 8_000);
  return [sinceMillis(began, eventAt(world.client, 1, "closed"))];
};

const restart =
  (delayMillis: number, downMillis: number): Measure =>
  async (world) => {
    world.impair({ delayMillis });
    await connect(world, 1);
    const talk = async (rounds: number): Promise<void> => {
      for (let i = 0; i < rounds && eventAt(world.client, 1, "closed") === undefined; i++) {
        world.client.endpoint.sendDatagram(1, new Uint8Array(100));
        await world.run(() => eventAt(world.client, 1, "closed") !== undefined, 20);
      }
    };
    await talk(25);
    await world.killServer();
    await talk(downMillis / 20);
    await world.restartServer();
    const returned = world.now();
    await talk(50);
    const closed = world.client.observer.seen.findLast((seen) => seen.type === "event" && seen.event.type === "closed");
    expect(closed).toMatchObject({ event: { reason: "reset" } });
    return [sinceMillis(returned, closed?.at)];
  };

type Row = {
  readonly what: string;
  readonly rtt: number;
  /** The model's median and the middle half of its samples. */
  readonly model: number;
  readonly low: number;
  readonly high: number;
  readonly engine: number;
  /** What the machine may have added. */
  readonly machine: number;
};
const rows: Row[] = [];

/** Measures one thing in both worlds. */
async function both(what: string, delayMillis: number, measure: Measure): Promise<Row> {
  const one = async (world: SessionWorld): Promise<number[]> => {
    try {
      return await measure(world);
    } finally {
      await world.close();
    }
  };
  const samples: number[] = [];
  for (const seed of SEEDS) samples.push(...(await one(makePair(CONFIG, { seed }))));
  const late = lateness();
  const engine = quantile(await one(await quicWorld(CONFIG)), 0.5);
  const machine = JITTER + STALLS * late();
  const [low, model, high] = [quantile(samples, 0.25), quantile(samples, 0.5), quantile(samples, 0.75)];
  const row = { what, rtt: 2 * delayMillis, model, low, high, engine, machine };
  rows.push(row);
  return row;
}

/** Starts measuring by how much this process's timers are late; the function it gives ends that and tells what one in a hundred exceeded, milliseconds. */
function lateness(): () => number {
  const samples: number[] = [];
  let due = performance.now() + 1;
  const timer = setInterval(() => {
    const now = performance.now();
    samples.push(Math.max(0, now - due));
    due = now + 1;
  }, 1);
  return () => {
    clearInterval(timer);
    return quantile(samples, 0.99);
  };
}

describe("parity of the QUIC model with the engine", () => {
  afterAll(() => {
    const cells = rows.map((r) => [r.what, `${r.rtt}`, ...[r.model, r.low, r.high, r.engine].map((value) => value.toFixed(1))]);
    const lines = [["measured, ms", "RTT", "model", "lower half", "upper half", "engine"], ...cells].map((cell) =>
      cell.map((text, i) => (i === 0 ? text.padEnd(34) : text.padStart(12))).join(""),
    );
    console.log(`\n${lines.join("\n")}\n`);
  });

  test.each(DELAYS)("a handshake over %i ms takes one round trip in both", async (delay) => {
    const { model, engine, rtt, machine } = await both(`handshake, ${delay} ms one way`, delay, handshake(delay));
    expect(model).toBe(rtt);
    expect(engine).toBeGreaterThanOrEqual(rtt - 1);
    expect(engine - model).toBeLessThan(rtt + machine);
  });

  const cells = DELAYS.flatMap((delay) => LOSSES.map((loss) => [delay, loss * 100] as const));
  test.each(cells)(
    "20 messages over %i ms and %i percent loss arrive as soon in the engine as in half of the model's runs",
    async (delay, percent) => {
      const row = await both(`20 messages, ${delay} ms, ${percent} % lost`, delay, delivery(delay, percent / 100));
      // 41 sessions put the engine's median between the quartiles with three standard deviations to spare
      expect(row.engine).toBeGreaterThan(row.low - JITTER);
      expect(row.engine).toBeLessThan(row.high + row.rtt / 2 + row.machine);
    },
  );

  test("a blocked session ends after the same idle time", async () => {
    const { model, engine, machine } = await both("idle timeout of 2500 ms", 25, idle);
    expect(Math.abs(engine - model)).toBeLessThan(50 + machine);
  });

  test.each([500, 2_000])("a server away for %i ms is noticed in a round trip and a beat of its return", async (down) => {
    const { model, engine, rtt, machine } = await both(`restart noticed, away ${down} ms`, 25, restart(25, down));
    for (const noticed of [model, engine]) {
      expect(noticed).toBeGreaterThanOrEqual(rtt / 2);
      expect(noticed).toBeLessThan(rtt + 100 + 2 * machine); // the repeats of a silent session are 100 ms apart
    }
  });
});

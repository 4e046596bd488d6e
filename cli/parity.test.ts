/**
 * The QUIC model of the simulator against the real engine under the same link conditions, in a table. The model runs in virtual time,
 * the engine in real time over loopback sockets and a UDP proxy, so tolerances allow for a busy machine and, under loss, for luck.
 */
import { afterAll, describe, expect, test } from "vitest";
import { type Instant, millis } from "../impl/base/units.ts";
import type { SessionSide, SessionWorld } from "../impl/core/session.contract.ts";
import type { SessionConfig, SessionEvent, SessionId } from "../impl/core/session.ts";
import { quicWorld } from "../impl/io/quic-world.ts";
import { makePair } from "../sim/quic/pair.fixture.ts";

const CONFIG: SessionConfig = {
  handshakeTimeout: millis(5_000),
  idleTimeout: millis(5_000),
  keepAlive: millis(400),
  silence: millis(300),
};
const DELAYS = [0, 25, 100] as const;
const LOSSES = [0, 0.1, 0.3] as const;
/** Sessions that send the same messages at once; the median of their times is compared. */
const SESSIONS = 25;
const MESSAGES = 20;
/** What real time may add to any measurement on a two-core machine with other work, milliseconds. */
const JITTER = 15;

type Measure = (world: SessionWorld) => Promise<number>;

const eventAt = (side: SessionSide, session: SessionId, type: SessionEvent["type"]): Instant | undefined =>
  side.observer.seen.find((seen) => seen.type === "event" && seen.session === session && seen.event.type === type)?.at;
const accepted = (world: SessionWorld): SessionId[] =>
  world.server.observer.seen.flatMap((seen) => (seen.type === "accepted" ? [seen.session] : []));
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const sinceMillis = (from: number, to: Instant | undefined): number => (to === undefined ? Number.NaN : (to - from) / 1_000);

async function connect(world: SessionWorld, sessions: number): Promise<void> {
  for (let session = 1; session <= sessions; session++) world.client.endpoint.connect(session, world.serverAddress, world.serverPin);
  await world.run(() => accepted(world).length === sessions, 5_000);
  await world.run(() => false, 300); // handshakes confirmed, ACKs settled
}

const handshake =
  (delayMillis: number): Measure =>
  async (world) => {
    world.impair({ delayMillis });
    world.client.endpoint.connect(1, world.serverAddress, world.serverPin);
    await world.run(() => eventAt(world.client, 1, "connected") !== undefined, 4_000);
    const connected = world.client.observer.seen.flatMap((seen) =>
      seen.type === "event" && seen.event.type === "connected" ? [seen.event.handshake / 1_000] : [],
    );
    return connected[0] ?? Number.NaN;
  };

const delivery =
  (delayMillis: number, lossRatio: number): Measure =>
  async (world) => {
    world.impair({ delayMillis });
    await connect(world, SESSIONS);
    world.impair({ lossRatio });
    const began = world.now();
    const times = new Map<SessionId, number[]>();
    for (const session of accepted(world)) times.set(session, []);
    let done = 0;
    world.server.observer.react = (seen) => {
      if (seen.type !== "event" || seen.event.type !== "message") return;
      const own = times.get(seen.session);
      own?.push(seen.at - began);
      if (own?.length === MESSAGES) done++;
    };
    for (let session = 1; session <= SESSIONS; session++) {
      for (let i = 0; i < MESSAGES; i++) world.client.endpoint.send(session, new Uint8Array(200));
    }
    await world.run(() => done > SESSIONS / 2, 9_000);
    const ends = [...times.values()].map((own) => (own.length === MESSAGES ? (own.at(-1) ?? 0) / 1_000 : 9_000));
    return median(ends);
  };

const idle: Measure = async (world) => {
  world.impair({ delayMillis: 25 });
  await connect(world, 1);
  world.impair({ blocked: true });
  const began = world.now();
  world.client.endpoint.sendDatagram(1, new Uint8Array(100));
  await world.run(() => eventAt(world.client, 1, "closed") !== undefined, 8_000);
  return sinceMillis(began, eventAt(world.client, 1, "closed"));
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
    return sinceMillis(returned, eventAt(world.client, 1, "closed"));
  };

type Row = { readonly what: string; readonly rttMillis: number; readonly model: number; readonly engine: number };
const rows: Row[] = [];

/** Measures one thing in both worlds. */
async function both(what: string, rttMillis: number, measure: Measure): Promise<Row> {
  const one = async (world: SessionWorld): Promise<number> => {
    try {
      return await measure(world);
    } finally {
      await world.close();
    }
  };
  const row = { what, rttMillis, model: await one(makePair(CONFIG)), engine: await one(await quicWorld(CONFIG)) };
  rows.push(row);
  return row;
}

describe("parity of the QUIC model with the engine", () => {
  afterAll(() => {
    const cells = rows.map((r) => [r.what, `${r.rttMillis}`, r.model.toFixed(1), r.engine.toFixed(1), (r.engine - r.model).toFixed(1)]);
    const lines = [["measured, ms", "RTT", "model", "engine", "difference"], ...cells].map((cell) =>
      cell.map((text, i) => (i === 0 ? text.padEnd(38) : text.padStart(11))).join(""),
    );
    console.log(`\n${lines.join("\n")}\n`);
  });

  test.each(DELAYS)("a handshake over %i ms takes as long, within 15 ms and a round trip of nothing", async (delay) => {
    const { model, engine } = await both(`handshake, ${delay} ms one way`, 2 * delay, handshake(delay));
    expect(model).toBe(2 * delay);
    expect(Math.abs(engine - model)).toBeLessThan(JITTER);
  });

  test.each(DELAYS)("20 messages over %i ms arrive as soon, with and without loss", async (delay) => {
    const found = await Promise.all(
      LOSSES.map((loss) => both(`20 messages, ${delay} ms, ${loss * 100} % lost`, 2 * delay, delivery(delay, loss))),
    );
    for (const { model, engine, rttMillis } of found) expect(Math.abs(engine - model)).toBeLessThan(rttMillis + 4 * JITTER);
  });

  test("a blocked session ends after the same idle time", async () => {
    const { model, engine } = await both("idle timeout of 5000 ms", 50, idle);
    expect(Math.abs(engine - model)).toBeLessThan(4 * JITTER);
  });

  test.each([500, 3_000])("a server away for %i ms is noticed within as short a time of its return", async (down) => {
    const { model, engine, rttMillis } = await both(`restart noticed, away ${down} ms`, 50, restart(25, down));
    expect(model).toBeLessThan(rttMillis + 100);
    expect(Math.abs(engine - model)).toBeLessThan(100 + 2 * JITTER); // both depend on the phase of a 20 ms and a 100 ms beat
  });
});

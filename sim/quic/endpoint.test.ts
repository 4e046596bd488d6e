import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { millis, seconds } from "../../impl/base/units.ts";
import type { SessionConfig, SessionEvent, SessionId } from "../../impl/core/session.ts";
import { type QuicPacket, readPayload } from "./packet.ts";
import { makePair, type Pair, type PairOptions, SERVER } from "./pair.fixture.ts";

const CONFIG: SessionConfig = {
  handshakeTimeout: seconds(10),
  idleTimeout: seconds(10),
  keepAlive: seconds(3),
  silence: millis(500),
};

const events = (side: Pair["client"], session: SessionId): SessionEvent[] =>
  side.observer.seen.flatMap((seen) => (seen.type === "event" && seen.session === session ? [seen.event] : []));
const connectedAt = (side: Pair["client"], session: SessionId): number | undefined =>
  side.observer.seen.find((seen) => seen.type === "event" && seen.session === session && seen.event.type === "connected")?.at;
const packetsOf = (payload: unknown): QuicPacket[] => {
  const first = readPayload(payload);
  const out: QuicPacket[] = [];
  for (let p = first?.proto === "quic" ? first : undefined; p !== undefined; p = p.next) out.push(p);
  return out;
};
const dialled = (delayMillis: number, options: PairOptions = {}, drop?: Pair["drop"]): Pair => {
  const pair = makePair(CONFIG, { log: true, ...options });
  pair.impair({ delayMillis });
  pair.drop = drop;
  pair.client.endpoint.connect(1, SERVER, pair.serverPin);
  return pair;
};
const open = (delayMillis: number, options: PairOptions = {}): Pair => {
  const pair = dialled(delayMillis, options);
  pair.runFor(1_000);
  return pair;
};

const datagramsAt = ({ observer }: Pair["server"]): number =>
  observer.seen.filter((one) => one.type === "event" && one.event.type === "datagram").length;

describe("handshake", () => {
  test("the client is connected after one round trip, the server after one and a half", () => {
    const pair = open(50);
    expect(connectedAt(pair.client, 1)).toBe(100_000);
    expect(connectedAt(pair.server, -1)).toBe(150_000);
  });

  test.each([
    [1, 999_000 + 100_000],
    [2, 999_000 + 1_998_000 + 100_000],
  ])("%i lost first packets cost their probe timeouts of 999 ms, doubling", (lost, expected) => {
    const pair = dialled(50, {}, (_, up, number) => up && number < lost);
    pair.runFor(6_000);
    expect(connectedAt(pair.client, 1)).toBe(expected);
  });

  test("before the client's address is validated the server sends at most three times what it got", () => {
    const pair = dialled(20, {}, (_, up, number) => up && number > 0);
    pair.runFor(8_000);
    const bytes = pair.passages.filter((one) => !one.up).reduce((sum, one) => sum + one.packet.bytes - 28, 0);
    expect(bytes).toBeGreaterThan(1_200);
    expect(bytes).toBeLessThanOrEqual(3 * 1_200);
  });

  test("every packet of a handshake may be lost once, and it still completes", () => {
    for (let victim = 0; victim < 6; victim++) {
      for (const direction of [true, false]) {
        const pair = dialled(20, {}, (_, up, number) => up === direction && number === victim);
        pair.runFor(5_000);
        expect([connectedAt(pair.client, 1), connectedAt(pair.server, -1)]).not.toContain(undefined);
      }
    }
  });

  test("an endpoint that does not accept answers nothing: the dialler times out", () => {
    const pair = open(5);
    const before = pair.client.endpoint.counters.unknownConnections;
    const first = pair.passages[0]?.packet;
    pair.client.endpoint.receive("203.0.113.1:9", { bytes: 1_228, payload: first?.payload });
    expect(pair.client.endpoint.counters.unknownConnections).toBe(before + 1);
    expect(pair.client.endpoint.sessions).toBe(1);
  });
});

describe("steady state", () => {
  /** Both sides send 100 octets every 20 ms for `rounds`. */
  const talk = (pair: Pair, rounds: number, both = true): void => {
    for (let i = 0; i < rounds; i++) {
      pair.client.endpoint.sendDatagram(1, new Uint8Array(100));
      if (both) pair.server.endpoint.sendDatagram(-1, new Uint8Array(100));
      pair.runFor(20);
    }
  };
  const arrivals = (pair: Pair): number[] =>
    pair.server.observer.seen.flatMap((seen) => (seen.type === "event" && seen.event.type === "datagram" ? [seen.at] : []));

  test("talking both ways, acknowledgements ride along: no packet carries nothing else", () => {
    const pair = open(25);
    const before = pair.passages.length;
    talk(pair, 100);
    expect(pair.passages.length - before).toBe(200);
  });

  test("talking one way, every second packet is acknowledged, and every 25th acknowledgement asks for one itself", () => {
    const pair = open(25);
    const before = pair.passages.length;
    talk(pair, 400, false);
    const down = pair.passages.slice(before).filter((one) => !one.up);
    expect(down.length).toBeGreaterThan(190);
    expect(down.length).toBeLessThan(210);
    const pings = down.filter((one) => packetsOf(one.packet.payload).some((p) => p.eliciting));
    expect(pings.length).toBe(Math.floor(down.length / 25));
  });

  test.each([0.1, 0.3])("50 datagrams a second flow in full at a loss of %d, without a gap of 500 ms", (lossRatio) => {
    const pair = open(25);
    pair.impair({ lossRatio });
    talk(pair, 3_000);
    const at = arrivals(pair);
    expect(Math.abs(at.length / 3_000 - (1 - lossRatio))).toBeLessThan(0.03);
    const gaps = at.slice(1).map((time, i) => time - (at[i] as number));
    expect(Math.max(...gaps)).toBeLessThan(500_000);
    expect(pair.client.endpoint.counters.datagramsDropped).toBe(0);
    const facts = pair.client.endpoint.pathFacts(1);
    expect(Math.abs((facts?.datagramsLost ?? 0) / 3_000 - lossRatio)).toBeLessThan(0.05);
  });

  test("at a loss of one half most of what can arrive does; the window of two packets holds back the rest", () => {
    let [arrived, dropped] = [0, 0];
    for (let seed = 1; seed <= 8; seed++) {
      const pair = open(25, { seed, log: false });
      pair.impair({ lossRatio: 0.5 });
      talk(pair, 3_000);
      arrived += arrivals(pair).length;
      dropped += pair.client.endpoint.counters.datagramsDropped;
    }
    expect(arrived / 24_000).toBeGreaterThan(0.42);
    expect(arrived / 24_000).toBeLessThan(0.51);
    expect(dropped / 24_000).toBeLessThan(0.15);
  });

  test("after a blackout of three seconds media flows again within a round trip and a repeat of 100 ms", () => {
    const pair = open(25);
    talk(pair, 50);
    pair.impair({ blocked: true });
    talk(pair, 150);
    pair.impair({ blocked: false });
    const healed = pair.now();
    talk(pair, 50);
    const first = arrivals(pair).find((at) => at > healed) ?? 0;
    expect(first - healed).toBeLessThan(150_000);
    expect(
      events(pair.client, 1)
        .map((event) => event.type)
        .filter((type) => type !== "datagram"),
    ).toEqual(["connected", "silent", "heard"]);
  });

  test("beyond the window the newest 16 datagrams wait and older ones go", () => {
    const pair = open(25);
    pair.impair({ blocked: true });
    for (let i = 0; i < 200; i++) pair.client.endpoint.sendDatagram(1, new Uint8Array(1_000));
    const facts = pair.client.endpoint.pathFacts(1);
    expect(facts?.inFlight).toBeLessThanOrEqual(12_000);
    expect(facts?.datagramsQueued).toBe(16);
    expect(pair.client.endpoint.counters.datagramsDropped).toBe(200 - 16 - (facts?.datagramsSent ?? 0));
  });

  test("what a network delivers twice arrives once", () => {
    const pair = open(5);
    const { passages, client, server } = pair;
    const before = passages.length;
    client.endpoint.sendDatagram(1, Uint8Array.of(7));
    client.endpoint.send(1, Uint8Array.of(8));
    pair.runFor(100);
    for (const { packet, up } of passages.slice(before)) if (up) server.endpoint.receive("198.51.100.7:50000", packet);
    pair.runFor(100);
    expect(events(server as Pair["client"], -1).map((event) => event.type)).toEqual(["connected", "datagram", "message"]);
    expect(server.endpoint.counters.duplicatePackets).toBeGreaterThanOrEqual(2);
  });

  test("the sender may reuse its buffer and the receiver keeps what it got", () => {
    const pair = open(5);
    const buffer = Uint8Array.of(1, 2, 3);
    pair.client.endpoint.sendDatagram(1, buffer);
    pair.client.endpoint.send(1, buffer);
    buffer.fill(9);
    pair.runFor(50);
    expect(events(pair.server as Pair["client"], -1).slice(1)).toEqual([
      { type: "datagram", bytes: Uint8Array.of(1, 2, 3) },
      { type: "message", bytes: Uint8Array.of(1, 2, 3) },
    ]);
  });
});

describe("trust and death", () => {
  test("anything that is not the model's own is counted, dropped, and never throws", () => {
    const pair = open(5);
    const seen = pair.client.observer.seen.length;
    let sent = 0;
    fc.assert(
      fc.property(fc.anything(), fc.constantFrom("quic", "quic-reset", "stun", "x"), (payload, proto) => {
        pair.client.endpoint.receive(SERVER, { bytes: 100, payload });
        pair.client.endpoint.receive(SERVER, { bytes: 100, payload: { proto, value: payload } });
        sent += 2;
      }),
      { seed: 4, numRuns: 300 },
    );
    expect(pair.client.endpoint.counters.unknownPayloads).toBe(sent);
    expect(pair.client.observer.seen).toHaveLength(seen);
  });

  test("a reset with a wrong token, or from elsewhere, closes nothing", () => {
    const pair = open(5);
    let token: unknown;
    pair.drop = (packet, up) => {
      const read = readPayload(packet.payload);
      if (!up && read?.proto === "quic-reset") token = read.token;
      return read?.proto === "quic-reset";
    };
    void pair.killServer();
    void pair.restartServer();
    pair.client.endpoint.sendDatagram(1, new Uint8Array(50));
    pair.runFor(50);
    expect(token).toBeTypeOf("number");
    pair.client.endpoint.receive(SERVER, { bytes: 70, payload: { proto: "quic-reset", token: (token as number) + 1 } });
    pair.client.endpoint.receive("203.0.113.1:9", { bytes: 70, payload: { proto: "quic-reset", token } });
    expect(pair.client.endpoint.counters.resetsIgnored).toBe(2);
    expect(pair.client.endpoint.sessions).toBe(1);
    pair.client.endpoint.receive(SERVER, { bytes: 70, payload: { proto: "quic-reset", token } });
    expect(events(pair.client, 1).at(-1)).toEqual({ type: "closed", reason: "reset" });
    expect(pair.client.endpoint.sessions).toBe(0);
  });

  test("an endpoint that is shut down sends nothing, tells nothing and forgets everything", () => {
    const pair = open(25);
    pair.client.endpoint.send(1, new Uint8Array(50));
    pair.client.endpoint.shutdown();
    const [sent, seen] = [pair.passages.filter((one) => one.up).length, pair.client.observer.seen.length];
    pair.client.endpoint.sendDatagram(1, new Uint8Array(5));
    pair.client.endpoint.sendPacket(SERVER, new Uint8Array(20));
    pair.client.endpoint.connect(2, SERVER, pair.serverPin);
    pair.server.endpoint.sendDatagram(-1, new Uint8Array(50));
    pair.runFor(20_000);
    expect(pair.passages.filter((one) => one.up)).toHaveLength(sent);
    expect(pair.client.observer.seen).toHaveLength(seen);
    expect(pair.client.endpoint.sessions).toBe(0);
    expect(events(pair.server as Pair["client"], -1).at(-1)).toEqual({ type: "closed", reason: "idle-timeout" });
  });

  test("caller's misuse is told: a session number twice, or not positive", () => {
    const pair = open(5);
    expect(() => pair.client.endpoint.connect(1, SERVER, pair.serverPin)).toThrow(TypeError);
    expect(() => pair.client.endpoint.connect(-3, SERVER, pair.serverPin)).toThrow(TypeError);
  });
});

test("the same seed gives the same packets at the same instants, another seed others", () => {
  const trace = (seed: number): string => {
    const pair = dialled(20, { seed });
    pair.impair({ lossRatio: 0.2 });
    for (let i = 0; i < 200; i++) {
      pair.client.endpoint.send(1, new Uint8Array(300));
      pair.server.endpoint.sendDatagram(-1, new Uint8Array(80));
      pair.runFor(20);
      if (i === 100) pair.rebindClient();
    }
    return JSON.stringify(
      pair.passages.map((one) => [
        one.at,
        one.up,
        one.dropped,
        one.packet.bytes,
        packetsOf(one.packet.payload).map((p) => p.dcid),
      ]),
    );
  };
  expect(trace(1)).toBe(trace(1));
  expect(trace(1)).not.toBe(trace(2));
});

test("a window that was filled while the peer was silent is open soon after its return, whenever that is", () => {
  for (let extra = 0; extra < 20; extra++) {
    const pair = open(10);
    const talk = (count: number): void => {
      for (let k = 0; k < count; k++) {
        // The client's window has room all the time: it is heard at once, and says nothing that the server waits for.
        pair.client.endpoint.sendDatagram(1, new Uint8Array(20));
        pair.server.endpoint.sendDatagram(-1, new Uint8Array(600));
        pair.runFor(5);
      }
    };
    talk(20);
    pair.impair({ blocked: true });
    talk(150 + 3 * extra);
    pair.impair({ blocked: false });
    const before = datagramsAt(pair.client);
    talk(20);
    expect(datagramsAt(pair.client) - before).toBeGreaterThanOrEqual(9);
  }
});

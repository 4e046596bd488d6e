/** Two connections without sockets, on a clock of the test's own: when what is sent. */
import { beforeEach, describe, expect, test } from "vitest";
import { type Address, address } from "../base/address.ts";
import { Instant, millis } from "../base/units.ts";
import { DEFAULT_SESSION, type SessionEvent } from "../core/session.ts";
import { makeCertificate } from "./certificate.ts";
import { newConnectionId, resetTokenNumber } from "./connection-id.ts";
import { type ConnectionHost, QuicConnection } from "./quic-connection.ts";
import { engineConfig, type Host, quiche } from "./quic-engine.ts";

const certificate = makeCertificate();
const CLIENT: Host = { host: "192.0.2.1", port: 1_000 };
const SERVER: Host = { host: "192.0.2.2", port: 2_000 };
/** Client's address after its NAT has forgotten it. */
const REBOUND: Host = { host: "192.0.2.1", port: 1_001 };
const VOICE = new Uint8Array(100);

const at = ({ host, port }: Host): Address => address(host, port);

type Side = { readonly connection: QuicConnection; readonly sent: Uint8Array[]; readonly events: SessionEvent[] };

class Pair {
  now = Instant(0);
  readonly client: Side;
  readonly server: Side;

  constructor() {
    const [asClient, asServer] = [engineConfig(DEFAULT_SESSION), engineConfig(DEFAULT_SESSION, certificate)];
    const id = newConnectionId();
    asServer.setStatelessResetToken(resetTokenNumber(certificate.resetKey, id));
    this.client = this.#side(CLIENT, (host) => {
      const engine = quiche.Connection.connect(null, newConnectionId(), CLIENT, SERVER, asClient);
      const { fingerprint: pin } = certificate;
      return new QuicConnection({
        ...{ engine, host, config: DEFAULT_SESSION, remote: at(SERVER) },
        ...{ role: "client", session: 1, pin },
      });
    });
    this.server = this.#side(SERVER, (host) => {
      const engine = quiche.Connection.accept(id, null, SERVER, CLIENT, asServer);
      return new QuicConnection({ engine, host, config: DEFAULT_SESSION, remote: at(CLIENT), role: "server" });
    });
  }

  #side(local: Host, make: (host: ConnectionHost) => QuicConnection): Side {
    const [sent, events]: [Uint8Array[], SessionEvent[]] = [[], []];
    const connection = make({
      local,
      now: () => this.now,
      accept: () => -1,
      emit: (_, event) => events.push(event),
      transmit: (packet) => sent.push(packet.slice()),
    });
    return { connection, sent, events };
  }

  /** What is due on `side` now. */
  turn(side: Side): void {
    side.connection.read();
    side.connection.write();
  }

  /** Carries what `from` has sent; without a turn of the receiver. Returns how many packets those were. */
  carry(from: Side, source: Host): number {
    const to = from === this.client ? this.server : this.client;
    const packets = from.sent.splice(0);
    for (const packet of packets) to.connection.receive(packet, source, true);
    return packets.length;
  }

  /** Turn by turn, until neither has anything to say. */
  settle(): void {
    for (let packets = 1; packets > 0; ) {
      this.turn(this.client);
      packets = this.carry(this.client, CLIENT);
      this.turn(this.server);
      packets += this.carry(this.server, SERVER);
    }
  }

  /** A datagram of the client's that the server has read and had its turn for. */
  voice(source: Host = CLIENT): void {
    this.client.connection.sendDatagram(VOICE);
    this.turn(this.client);
    this.carry(this.client, source);
    this.turn(this.server);
  }

  after(milliseconds: number): void {
    this.now = Instant.after(this.now, millis(milliseconds));
  }
}

describe("a server's acknowledgements", () => {
  let pair: Pair;
  beforeEach(() => {
    pair = new Pair();
    pair.settle();
    expect(pair.server.connection.open).toBe(true);
    pair.after(1_500);
    pair.settle(); // a keep-alive, perhaps
  });

  test("of a datagram go with what is sent within 20 ms", () => {
    pair.voice();
    expect(pair.server.sent).toHaveLength(0);
    expect(pair.server.connection.deadline).toBeLessThanOrEqual(Instant.after(pair.now, millis(20)));
    pair.after(10);
    pair.server.connection.sendDatagram(VOICE);
    pair.turn(pair.server);
    expect(pair.server.sent).toHaveLength(1);
    const before = pair.client.connection.facts();
    pair.carry(pair.server, SERVER);
    pair.turn(pair.client);
    expect(pair.client.events.filter((one) => one.type === "datagram")).toHaveLength(1);
    expect(pair.client.connection.facts()?.received).toBe((before?.received ?? 0) + 1);
    pair.after(20);
    pair.turn(pair.server);
    expect(pair.server.sent).toHaveLength(0); // nothing is left of it
  });

  test("of a datagram go alone after 20 ms", () => {
    pair.voice();
    pair.after(19);
    pair.turn(pair.server);
    expect(pair.server.sent).toHaveLength(0);
    pair.after(1);
    pair.turn(pair.server);
    expect(pair.server.sent).toHaveLength(1);
  });

  test("of a datagram wait also after the engine's timer went off, which it does when a processor is late", () => {
    pair.server.connection.sendDatagram(VOICE);
    pair.turn(pair.server);
    pair.server.sent.length = 0;
    pair.after(60);
    pair.turn(pair.server); // a probe, if the engine sees it the same way
    pair.server.sent.length = 0;
    pair.voice();
    expect(pair.server.sent).toHaveLength(0);
  });

  test("of the second datagram go at once", () => {
    pair.voice();
    pair.voice();
    expect(pair.server.sent).toHaveLength(1);
  });

  test("of a message go at once, and so do those of datagrams for a second after it", () => {
    pair.client.connection.send(new Uint8Array(50));
    pair.turn(pair.client);
    pair.carry(pair.client, CLIENT);
    pair.turn(pair.server);
    expect(pair.server.sent).toHaveLength(1);
    pair.settle();
    pair.voice();
    expect(pair.server.sent).toHaveLength(1);
    pair.settle();
    pair.after(1_100);
    pair.settle();
    pair.voice();
    expect(pair.server.sent).toHaveLength(0);
  });

  test("of what comes from another address go at once", () => {
    pair.voice(REBOUND);
    expect(pair.server.sent.length).toBeGreaterThan(0);
  });
});

describe("a client's acknowledgement", () => {
  let pair: Pair;
  /** A datagram of the server's that the client has read and had its turn for. */
  const hear = (): void => {
    pair.server.connection.sendDatagram(VOICE);
    pair.turn(pair.server);
    pair.carry(pair.server, SERVER);
    pair.turn(pair.client);
  };
  beforeEach(() => {
    pair = new Pair();
    pair.settle();
    pair.after(1_500);
    pair.settle();
  });

  test("goes at once while the client says nothing itself", () => {
    hear();
    expect(pair.client.sent).toHaveLength(1);
  });

  test("goes with the client's own next datagram while it talks, and alone when none comes", () => {
    pair.voice();
    hear();
    expect(pair.client.sent).toHaveLength(0);
    pair.after(19);
    pair.voice();
    const before = pair.server.connection.facts();
    hear();
    expect(pair.client.sent).toHaveLength(0);
    pair.after(20);
    pair.turn(pair.client);
    expect(pair.client.sent).toHaveLength(1);
    pair.carry(pair.client, CLIENT);
    pair.turn(pair.server);
    expect(pair.server.connection.facts()).toMatchObject({ received: (before?.received ?? 0) + 1, lost: 0 });
  });

  test("of a question about the path goes at once, also while it talks: the peer uses a new address as soon as it knows", () => {
    pair.voice();
    hear();
    expect(pair.client.sent).toHaveLength(0);
    pair.voice(REBOUND);
    pair.carry(pair.server, SERVER);
    pair.turn(pair.client);
    expect(pair.client.sent.length).toBeGreaterThan(0);
  });
});

test("a session at rest notices at once that its peer closes it, also behind a datagram", () => {
  const pair = new Pair();
  pair.settle();
  pair.after(1_500);
  pair.settle();
  pair.client.connection.sendDatagram(VOICE);
  pair.turn(pair.client);
  pair.client.connection.close("over");
  pair.turn(pair.client);
  expect(pair.carry(pair.client, CLIENT)).toBe(2);
  pair.turn(pair.server);
  expect(pair.server.events.map((one) => one.type).slice(-2)).toEqual(["datagram", "closed"]);
});

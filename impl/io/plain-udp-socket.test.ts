import { expect, test } from "vitest";
import { CONTRACT_CONFIG, type Observer, observer } from "../core/session.contract.ts";
import type { SessionEvent } from "../core/session.ts";
import { makeCertificate } from "./certificate.ts";
import { openEndpoint } from "./quic-endpoint.ts";
import { realClock } from "./quic-world.fixture.ts";

const eventsOf = (watch: Observer): SessionEvent[] => watch.seen.flatMap((seen) => (seen.type === "event" ? [seen.event] : []));

test("over Node.js's own sockets sessions carry messages and datagrams as well", async () => {
  const now = realClock();
  const certificate = makeCertificate();
  const watches = [observer(now), observer(now)] as const;
  const common = { host: "127.0.0.1", port: 0, config: CONTRACT_CONFIG, now, socket: { kind: "plain" } as const };
  const server = await openEndpoint({ ...common, listener: watches[0].listener, certificate });
  const client = await openEndpoint({ ...common, listener: watches[1].listener });
  /** Both were told one of that type; the test's own limit ends it. */
  const both = async (type: SessionEvent["type"]): Promise<void> => {
    while (!watches.every((watch) => eventsOf(watch).some((event) => event.type === type)))
      await new Promise((resolve) => setTimeout(resolve, 1));
  };
  try {
    client.connect(1, server.local, certificate.fingerprint);
    await both("connected");
    client.send(1, new Uint8Array(16_000).fill(1));
    server.send(-1, new Uint8Array(16_000).fill(2));
    await both("message");
    client.sendDatagram(1, new Uint8Array(90).fill(3));
    server.sendDatagram(-1, new Uint8Array(90).fill(4));
    await both("datagram");
    const told = watches.map((watch) => eventsOf(watch).flatMap((one) => ("bytes" in one ? [one.bytes[0]] : [])));
    expect(told).toEqual([
      [1, 3],
      [2, 4],
    ]);
  } finally {
    await client.closeAll();
    await server.closeAll();
  }
});

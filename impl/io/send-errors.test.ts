import { expect, test, vi } from "vitest";
import { DEFAULT_SESSION } from "../core/session.ts";
import { monotonicClock } from "./monotonic-clock.ts";
import { openEndpoint } from "./quic-endpoint.ts";

test("what the system refuses to send is counted by its error, and what it sends is not", async () => {
  const listener = { accepted: () => undefined, packet: () => undefined, event: () => undefined };
  const { now } = monotonicClock(undefined);
  const endpoint = await openEndpoint({ host: "127.0.0.1", port: 0, config: DEFAULT_SESSION, listener, now });
  try {
    endpoint.sendPacket(endpoint.local, new Uint8Array(20));
    endpoint.sendPacket("127.0.0.1:9", new Uint8Array(65_600)); // larger than any UDP datagram
    endpoint.sendPacket("255.255.255.255:9", new Uint8Array(20)); // broadcast was not asked for (socket(7))
    endpoint.sendPacket("[::1]:9", new Uint8Array(20)); // not of this socket's family
    await vi.waitFor(() => expect(endpoint.counters().sendErrors.size).toBe(3));
    expect(Object.fromEntries(endpoint.counters().sendErrors)).toEqual({ EMSGSIZE: 1, EACCES: 1, EAFNOSUPPORT: 1 });
    expect(endpoint.counters().sentPackets).toBe(3);
  } finally {
    await endpoint.closeAll();
  }
});

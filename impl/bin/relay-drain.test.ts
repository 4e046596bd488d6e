/** A real relay process's life from ready to drained, over real QUIC, as whoever runs it sees it. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Identity, identityFromSecret } from "../core/identity.ts";
import { signRegistration } from "../core/registration.ts";
import { DEFAULT_SESSION } from "../core/session.ts";
import { monotonicClock } from "../io/monotonic-clock.ts";
import { nodeCrypto } from "../io/node-crypto.ts";
import { openEndpoint } from "../io/quic-endpoint.ts";
import { encodeSignal, parseSignal, type SignalMessage } from "../wire/signal.ts";
import { runRelay } from "./relay.ts";

const identityOf = (session: number): Identity => identityFromSecret(nodeCrypto, new Uint8Array(32).fill(session));

test("a relay is ready until it is full, again when there is room, and until it drains: it tells its client where to go, and is done when the client has left", async () => {
  const folder = await mkdtemp(join(tmpdir(), "midcall-drain-"));
  const drained = Promise.withResolvers<void>();
  const metrics = { host: "127.0.0.1", port: 0 };
  const relay = await runRelay({
    name: "r1",
    host: "127.0.0.1",
    port: 0,
    stateDir: folder,
    metrics,
    onDrained: drained.resolve,
    limits: { maxSessions: 2 },
  });
  const waiting = new Map<SignalMessage["type"], (message: SignalMessage) => void>();
  const next = (type: SignalMessage["type"]): Promise<SignalMessage> => new Promise((resolve) => waiting.set(type, resolve));
  const ready = async (): Promise<unknown> => {
    const response = await fetch(`http://${relay.metrics}/readyz`);
    return [response.status, await response.text()];
  };
  const client = await openEndpoint({
    host: "127.0.0.1",
    port: 0,
    config: DEFAULT_SESSION,
    now: monotonicClock(undefined).now,
    listener: {
      accepted: () => undefined,
      packet: () => undefined,
      event: (session, event) => {
        if (event.type === "connected")
          client.send(
            session,
            encodeSignal({
              type: "Register",
              ...signRegistration(nodeCrypto, identityOf(session), relay.pin, new Uint8Array(randomBytes(16))),
            }),
          );
        const parsed = event.type === "message" ? parseSignal(event.bytes) : undefined;
        if (parsed?.ok === true) waiting.get(parsed.message.type)?.(parsed.message);
      },
    },
  });
  try {
    const registered = next("RegisterAck");
    client.connect(1, relay.local, relay.pin);
    expect(await registered).toMatchObject({ ok: true });
    expect(await ready()).toEqual([200, "ready\n"]);
    const second = next("RegisterAck");
    client.connect(2, relay.local, relay.pin);
    await second;
    expect(await ready()).toEqual([503, "full: sessions\n"]);
    client.close(2, "makes room");
    await expect.poll(ready, { timeout: 60_000 }).toEqual([200, "ready\n"]);
    const told = next("RelayDraining");
    const refuge = { address: "192.0.2.7:4433", pin: "ab".repeat(32) };
    relay.drain(60_000, [refuge]);
    expect(await told).toMatchObject({ alternatives: [{ addr: refuge.address, pin: refuge.pin }] });
    expect(await ready()).toEqual([503, "draining\n"]);
    client.close(1, "gone elsewhere");
    await drained.promise;
  } finally {
    await client.closeAll();
    await relay.stop();
    await rm(folder, { recursive: true, force: true });
  }
});

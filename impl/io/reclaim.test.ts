import { afterEach, expect, test, vi } from "vitest";
import { DEFAULT_SESSION } from "../core/session.ts";
import { newConnectionId } from "./connection-id.ts";
import { engineConfig, quiche } from "./quic-engine.ts";
import { reclaimer, reclaimMemory } from "./reclaim.ts";

afterEach(() => vi.useRealTimers());

test("connections that nobody holds are freed by the engine", async () => {
  const config = engineConfig(DEFAULT_SESSION);
  const host = { host: "127.0.0.1", port: 1 };
  let freed = 0;
  const registry = new FinalizationRegistry(() => freed++);
  for (let i = 0; i < 500; i++) registry.register(quiche.Connection.connect(null, newConnectionId(), host, host, config), i);
  await reclaimMemory();
  expect(freed).toBeGreaterThanOrEqual(498); // the stack may still show the last one
});

test("a flood that pauses is one flood: memory is given back once, when it has been quiet", () => {
  vi.useFakeTimers();
  let times = 0;
  const { afterFlood, close } = reclaimer(() => times++);
  for (let i = 0; i < 4; i++) {
    afterFlood();
    vi.advanceTimersByTime(4_000);
  }
  expect(times).toBe(0);
  vi.advanceTimersByTime(1_000);
  expect(times).toBe(1);
  afterFlood();
  close();
  vi.advanceTimersByTime(60_000);
  expect(times).toBe(1);
});

test("in the midst of a flood garbage is collected once for many handshakes given up", () => {
  let times = 0;
  const { dropped } = reclaimer(
    () => undefined,
    () => times++,
  );
  for (let i = 0; i < 255; i++) dropped();
  expect(times).toBe(0);
  dropped();
  expect(times).toBe(1);
  for (let i = 0; i < 512; i++) dropped();
  expect(times).toBe(3);
});

import { execFileSync } from "node:child_process";
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
  const { afterFlood, close } = reclaimer({ reclaim: () => times++, measureBusy: () => () => 1 });
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
  const { dropped } = reclaimer({ collect: () => times++ });
  for (let i = 0; i < 255; i++) dropped();
  expect(times).toBe(0);
  dropped();
  expect(times).toBe(1);
  for (let i = 0; i < 512; i++) dropped();
  expect(times).toBe(3);
});

test("what a flood has left with V8 is given back once the process is at rest, however long that takes, and once", () => {
  vi.useFakeTimers();
  let [busy, all] = [0.1, 0];
  const { afterFlood, close } = reclaimer({ reclaim: () => undefined, reclaimAll: () => all++, measureBusy: () => () => busy });
  afterFlood();
  vi.advanceTimersByTime(60_000);
  expect(all).toBe(0);
  busy = 0.09;
  vi.advanceTimersByTime(4_999);
  expect(all).toBe(0);
  vi.advanceTimersByTime(1);
  expect(all).toBe(1);
  vi.advanceTimersByTime(60_000);
  expect(all).toBe(1);
  afterFlood();
  vi.advanceTimersByTime(9_999);
  afterFlood(); // another one
  vi.advanceTimersByTime(5_000);
  expect(all).toBe(1);
  vi.advanceTimersByTime(5_000);
  expect(all).toBe(2);
  close();
});

test("handshakes of a flood's tail, which end after it, are given back too; a few that fail at other times are not waited for", () => {
  vi.useFakeTimers();
  let [times, busy] = [0, 1];
  const means = { reclaim: () => times++, reclaimAll: () => undefined, collect: () => undefined, measureBusy: () => () => busy };
  const { afterFlood, dropped, close } = reclaimer(means);
  const drop = (count: number): void => {
    for (let i = 0; i < count; i++) dropped();
    vi.advanceTimersByTime(5_000);
  };
  drop(100);
  expect(times).toBe(0);
  afterFlood();
  drop(0);
  expect(times).toBe(1);
  drop(15);
  expect(times).toBe(1);
  drop(1);
  expect(times).toBe(2);
  busy = 0;
  vi.advanceTimersByTime(10_000); // all is given back
  drop(100);
  expect(times).toBe(2);
  close();
});

test("as a last resort V8 gives back the pages that its young generation has grown by", async () => {
  for (let kept: object[] = [], i = 0; i < 3_000_000; i++) {
    kept.push({ i, of: [i] });
    if (kept.length > 60_000) kept = [];
  }
  await reclaimMemory();
  const before = process.memoryUsage().rss;
  await reclaimMemory("last-resort");
  expect(before - process.memoryUsage().rss).toBeGreaterThan(20e6);
});

/** Octets of V8's young generation in a process of its own, once much has survived its collections; `first`: what it does before. */
function youngGeneration(first: string): number {
  const code = `
    import { getHeapSpaceStatistics } from "node:v8";
    import { keepYoungGenerationSmall } from ${JSON.stringify(new URL("reclaim.ts", import.meta.url).href)};
    ${first};
    const kept = [];
    for (let i = 0; i < 1e6; i++) {
      kept.push([i]);
      if (kept.length > 50_000) kept.splice(0, 25_000);
    }
    console.log(getHeapSpaceStatistics().find((one) => one.space_name === "new_space").space_size);
  `;
  return Number(execFileSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" }));
}

test("what survives a flood does not make V8's young generation grow", () => {
  expect(youngGeneration("keepYoungGenerationSmall()")).toBeLessThan(youngGeneration("") / 4);
});

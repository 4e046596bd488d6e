import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { monotonicClock } from "../impl/io/monotonic-clock.ts";
import { RANKS } from "./precedence.ts";
import { openStandStill, type StandStill, type StillDeed } from "./stand-still.ts";

const { now } = monotonicClock(0);
const deeds: StillDeed[] = [];
const failures: unknown[] = [];
let standStill: StandStill;
const open = (): StandStill => {
  standStill = openStandStill(
    (deed) => deeds.push(deed),
    (error) => failures.push(error),
  );
  return standStill;
};
afterEach(async () => {
  await standStill.close();
  expect(failures.splice(0)).toEqual([]);
  deeds.splice(0);
});
const told = (): string[] => deeds.map(({ party, state }) => `${party} ${state}`);
const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await setImmediate();
};

/** A process that does nothing; `state` is the letter of proc(5), T when it is stopped. */
async function sleeper(party: string) {
  const child = spawn("sleep", ["3600"], { stdio: "ignore" });
  await once(child, "spawn");
  const pid = child.pid ?? 0;
  standStill.order({ type: "process", party, pid });
  const state = (): string => readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.[0] ?? "";
  const end = async (): Promise<void> => {
    standStill.order({ type: "gone", party, isDead: true });
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  };
  return { state, end };
}

test("turns go on, as long as they should be, while the thread that ordered them computes", async () => {
  const { order, ready } = open();
  const { end } = await sleeper("bob");
  await ready();
  order({ type: "turns", turns: 1, party: "bob", still: 60_000, every: 100_000 });
  await until(() => deeds.length > 0);
  const from = now();
  while (now() - from < 1_000_000) Math.sqrt(2);
  const to = now();
  order({ type: "end", turns: 1 });
  order({ type: "pause", party: "bob" });
  await until(() => deeds.some(({ at }) => at >= to));
  const meanwhile = deeds.filter(({ at }) => at > from && at < to);
  // Twenty, but for a machine that has no time for threads that go first either, and tells so.
  expect(meanwhile.length + meanwhile.reduce((sum, { late }) => sum + late, 0) / 40_000).toBeGreaterThan(16);
  expect(meanwhile.filter(({ state }, i) => state === meanwhile[i - 1]?.state)).toEqual([]);
  await end();
});

test("its thread goes before parties", async (context) => {
  if (process.getuid?.() !== 0) context.skip("not root");
  await open().ready();
  const ranks = readdirSync("/proc/self/task").flatMap((thread) => {
    const fields = readFileSync(`/proc/self/task/${thread}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return fields[38] === "2" ? [Number(fields[37])] : []; // policy 2: SCHED_RR (sched(7))
  });
  expect(ranks).toEqual([RANKS.link]);
  expect(RANKS.link).toBeGreaterThan(RANKS.party);
});

test("a process that is paused and takes turns runs on when the last of both lets go", async () => {
  const { order } = open();
  const { state, end } = await sleeper("bob");
  order({ type: "turns", turns: 1, party: "bob", still: 3_600_000_000, every: 7_200_000_000 });
  order({ type: "turns", turns: 2, party: "bob", still: 3_600_000_000, every: 7_200_000_000 });
  order({ type: "pause", party: "bob" });
  await until(() => state() === "T");
  order({ type: "end", turns: 1 });
  order({ type: "resume", party: "bob" });
  const other = await sleeper("alice");
  order({ type: "pause", party: "alice" });
  await until(() => other.state() === "T");
  expect(state()).toBe("T");
  order({ type: "end", turns: 2 });
  await until(() => told().includes("bob resumed"));
  await until(() => state() === "S");
  expect(told()).toEqual(["bob paused", "alice paused", "bob resumed"]);
  await end();
  await other.end();
});

test("a process that its party lets go runs on, and the party's next one runs until its next turn", async () => {
  const { order } = open();
  const first = await sleeper("bob");
  order({ type: "pause", party: "bob" });
  await until(() => first.state() === "T");
  order({ type: "gone", party: "bob", isDead: false });
  await until(() => first.state() === "S");
  const second = await sleeper("bob");
  order({ type: "resume", party: "bob" });
  order({ type: "turns", turns: 1, party: "bob", still: 3_600_000_000, every: 7_200_000_000 });
  await until(() => second.state() === "T");
  expect([told(), first.state()]).toEqual([["bob paused", "bob resumed", "bob paused"], "S"]);
  await first.end();
  await second.end();
});

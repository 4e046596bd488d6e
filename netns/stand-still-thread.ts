/** The thread of `stand-still.ts`: counts who holds which process still, and stops and continues it (SIGSTOP, SIGCONT) at its instants. It allocates too little to wait for a collector. */
import { readlinkSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { invariant } from "../impl/base/invariant.ts";
import { monotonicClock } from "../impl/io/monotonic-clock.ts";
import type { StillOrder, StillReport } from "./stand-still.ts";

type Party = {
  readonly name: string;
  pid: number | undefined;
  isStill: boolean;
  isPaused: boolean;
  /** Turns in which it is to stand still at present. */
  readonly turns: Set<number>;
};

const port = parentPort;
invariant(port !== null, "stand-still-thread.ts runs in a worker thread");
const tell = (report: StillReport): void => port.postMessage(report);
const { now } = monotonicClock(0);
const parties = new Map<string, Party>();
const running = new Map<number, () => void>();

function partyOf(name: string): Party {
  const known = parties.get(name) ?? { name, pid: undefined, isStill: false, isPaused: false, turns: new Set() };
  parties.set(name, known);
  return known;
}

/** Stops or continues the party's process if it is not as it should be; that was due `due`. */
function settle(party: Party, due: number, isToStandStill = party.isPaused || party.turns.size > 0): void {
  const { name, pid, isStill } = party;
  if (pid === undefined || isStill === isToStandStill) return;
  party.isStill = isToStandStill;
  const at = now();
  try {
    process.kill(pid, isToStandStill ? "SIGSTOP" : "SIGCONT");
  } catch {
    return; // it has ended, which the laboratory is about to hear
  }
  tell({ type: "done", at, late: Math.max(0, at - due), party: name, state: isToStandStill ? "paused" : "resumed" });
}

/** Within two milliseconds of `due`: timers count whole ones. */
function at(due: number, action: () => void): NodeJS.Timeout {
  return setTimeout(action, Math.max(0, Math.ceil((due - now()) / 1_000)));
}

function takeTurns({ turns, party: name, still, every }: StillOrder & { readonly type: "turns" }): void {
  const party = partyOf(name);
  let timers: NodeJS.Timeout[] = [];
  const turn = (began: number): void => {
    party.turns.add(turns);
    settle(party, began);
    const run = began + still;
    timers = [
      at(run, () => {
        party.turns.delete(turns);
        settle(party, run);
      }),
      at(began + every, () => turn(began + every)),
    ];
  };
  running.set(turns, () => {
    for (const timer of timers) clearTimeout(timer);
    party.turns.delete(turns);
    settle(party, now());
  });
  turn(now());
}

port.on("message", (order: StillOrder) => {
  switch (order.type) {
    case "process":
      return void Object.assign(partyOf(order.party), { pid: order.pid, isStill: false, isPaused: false });
    case "gone": {
      const party = partyOf(order.party);
      if (!order.isDead) settle(party, now(), false);
      return void Object.assign(party, { pid: undefined, isStill: false, isPaused: false });
    }
    case "pause":
    case "resume": {
      const party = partyOf(order.party);
      party.isPaused = order.type === "pause";
      return settle(party, now());
    }
    case "turns":
      return takeTurns(order);
    case "end":
      running.get(order.turns)?.();
      running.delete(order.turns);
  }
});
tell({ type: "ready", thread: Number(readlinkSync("/proc/thread-self").split("/").at(-1)) });

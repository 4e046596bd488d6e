/**
 * One party of a real-time run through all its processes: a stand-by is launched and loads everything, then goes live when told; a killed party's next
 * process stands by, so that what is measured after a heal is the implementation and not how long Node.js takes to boot.
 */
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Saying } from "../impl/base/record.ts";
import type { Job, Order, Report } from "../impl/bin/control.ts";
import { monotonicClock } from "../impl/io/monotonic-clock.ts";
import type { ControlServer, Line } from "./control-server.ts";
import type { Exit, Launched, Launcher } from "./launcher.ts";
import { putFirst } from "./precedence.ts";
import type { StandStill } from "./stand-still.ts";

export type LabParty = {
  readonly name: string;
  /** Of a relay's certificate, once it has been ready. */
  readonly pin: string | undefined;
  readonly isRunning: boolean;
  readonly isPaused: boolean;
  /** Has at least `count` processes that have loaded everything and wait; resolves when they do. */
  standBy(count: number): Promise<void>;
  /** A process that stands by begins; waits for it when it is not ready. Nothing happens to a party that runs. */
  start(epoch: number): Promise<void>;
  /** Resolves once the process that runs has said that it has started, or is gone; at once when none runs. */
  started(): Promise<void>;
  /** Ignored while the party is down, but for a command with an instant that is still to come: that is for whichever process runs then. */
  order(order: Order): void;
  /** Resolves when a relay that has said that it is done (DrainRecord) has ended; one that has not said so by now is killed. */
  gone(): Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  /** Its processes stand still for the first `still` microseconds of every `every`, until the returned function is called. */
  takeTurns(still: number, every: number): () => void;
  /** Resolves when every session that this party's process has opened is closed, or `ms` have passed. */
  quiet(ms: number): Promise<void>;
  /** Has it let go of everything and end. One that does not is killed, and fails the run. */
  stop(): Promise<void>;
  /** Kills whatever is left. */
  dispose(): Promise<void>;
  /** Recordings of a client's processes so far, in order; a file may be missing. */
  readonly recordings: readonly string[];
  stderrTail(): string;
};

/** What a party needs of the run. */
export type PartyWorld = {
  readonly server: ControlServer;
  readonly launcher: Launcher;
  /** Working folder of the run. */
  readonly folder: string;
  readonly namespace: string;
  readonly entry: { readonly module: string; readonly args: readonly string[] };
  /** Limits other than the usual ones, for tests. */
  readonly patience?: Patience;
  /** Logs something the party itself said. */
  said(t: number, saying: Saying): void;
  /** Logs something that was done to the party, now. */
  say(saying: Saying): void;
  touched(fault: number, messages: number): void;
  readonly standStill: Pick<StandStill, "order">;
  /** The run is lost: this party failed. */
  crash(why: string): void;
};

/** The part of a job that is the lab's own affair is filled in here. `incarnation` counts from 1. */
export type JobPlan = (incarnation: number) => DistributiveOmit<Job, "token" | "control" | "name">;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** How long a party is waited for, milliseconds. */
export type Patience = { readonly readyMs: number; readonly stopMs: number };
/**
 * chosen: to be ready, twenty times what an idle machine takes; to stop, three seconds beyond the goodbyes that a client waits for, for closing
 * files and sockets on a machine that is busy.
 */
const PATIENCE: Patience = { readyMs: 20_000, stopMs: 6_000 };

type Process = {
  readonly launched: Launched;
  readonly line: Line;
  /** Why it may end; undefined: it may not. */
  ending: "killed" | "stopped" | undefined;
  readonly sessions: Set<number>;
  /** It says that it has started. */
  readonly started: Promise<void>;
};

/** Of all turns that parties of this process take. */
let turnsTaken = 0;

export function labParty(name: string, plan: JobPlan, world: PartyWorld): LabParty {
  const { readyMs, stopMs } = world.patience ?? PATIENCE;
  let incarnation = 0;
  const waiting: Promise<Process>[] = [];
  let live: Process | undefined;
  /** A process that ends by itself. */
  let leaving: Promise<unknown> | undefined;
  let isPaused = false;
  let isOver = false;
  let pin: string | undefined;
  let tail = (): string => "";
  const recordings: string[] = [];
  const starts = new Set<Promise<Launched>>();
  const processes = new Set<Launched>();
  const quietened = new Set<() => void>();
  /** Signalling faults in force: a new process gets them too. */
  const disturbances = new Map<number, Order>();
  const planned: (Order & { readonly type: "command"; readonly at: number })[] = [];

  async function launch(): Promise<Process> {
    const token = `${name}-${++incarnation}`;
    const job = { ...plan(incarnation), name, token, control: world.server.path } as Job;
    if (job.role === "client") recordings.push(job.record);
    const path = join(world.folder, `${token}.json`);
    await writeFile(path, JSON.stringify(job));
    await chmod(path, 0o600); // it holds the identity's secret
    const sessions = new Set<number>();
    const { promise: started, resolve: start } = Promise.withResolvers<void>();
    let isCut = false;
    const ready = world.server.expect(token, {
      report: (report) => {
        hear(report, sessions);
        if (report.type === "said" && report.saying.ev === "process" && report.saying.state === "started") start();
      },
      broken: (why) => {
        isCut = true;
        fail(`misbehaves: ${why}`);
      },
    });
    const { module, args } = world.entry;
    if (isOver) return await never();
    const { folder, namespace } = world;
    const starting = world.launcher.start({ name, namespace, module, args: [...args, path], folder });
    starts.add(starting);
    const launched = await starting;
    processes.add(launched);
    tail = () => launched.stderrTail();
    void launched.exited.then((exit) => {
      processes.delete(launched);
      if (live !== undefined && live === process) world.standStill.order({ type: "gone", party: name, isDead: true });
      if (process === undefined && !isCut) fail(`ended before it was ready (${wordsOf(exit)})`);
      else if (process !== undefined && process.ending === undefined && !isCut) fail(`ended on its own (${wordsOf(exit)})`);
    });
    let process: Process | undefined;
    const patience = setTimeout(() => {
      fail(`was not ready after ${readyMs / 1_000} s`);
      launched.signal("SIGKILL");
    }, readyMs);
    const line = await Promise.race([ready, launched.exited.then(() => undefined)]);
    clearTimeout(patience);
    if (line === undefined) return await never();
    // Not before: one that still loads its code must not disturb those that are live.
    await putFirst(launched.pid);
    pin = line.pin;
    process = { launched, line, ending: undefined, sessions, started };
    return process;
  }

  function fail(why: string): void {
    if (isOver) return;
    const text = tail();
    world.crash(`${name} ${why}${text === "" ? "" : `; it wrote:\n${text}`}`);
  }

  function hear(report: Exclude<Report, { type: "ready" }>, sessions: Set<number>): void {
    if (report.type === "touched") return world.touched(report.fault, report.messages);
    const { t, saying } = report;
    world.said(t, saying);
    if (saying.ev === "drain" && saying.state !== "begun") leave();
    const isQuieter =
      (saying.ev === "session" && saying.state === "closed" && sessions.delete(saying.session)) ||
      // A link between relays lasts as long as they do: nobody waits for its end.
      (saying.ev === "federation" && saying.session !== undefined && sessions.delete(saying.session));
    if (saying.ev === "session" && (saying.state === "connecting" || saying.state === "accepted")) sessions.add(saying.session);
    if (isQuieter && sessions.size === 0) for (const tell of quietened) tell();
  }

  /** The live process ends by itself. */
  function leave(): void {
    if (live === undefined) return;
    live.ending = "stopped";
    world.standStill.order({ type: "gone", party: name, isDead: false });
    leaving = Promise.all([live.launched.exited, live.line.closed]);
    live = undefined;
  }

  const party: LabParty = {
    name,
    recordings,
    get pin() {
      return pin;
    },
    get isRunning() {
      return live !== undefined;
    },
    get isPaused() {
      return isPaused;
    },
    standBy: async (count) => {
      while (waiting.length < count) waiting.push(launch());
      await Promise.all(waiting);
    },
    start: async (epoch) => {
      if (live !== undefined) return;
      const process = await (waiting.shift() ?? launch());
      live = process;
      world.standStill.order({ type: "process", party: name, pid: process.launched.pid });
      process.line.order({ type: "go", epoch });
      for (const order of disturbances.values()) process.line.order(order);
      const now = monotonicClock(epoch).now();
      for (const order of planned) if (order.at > now) process.line.order(order);
    },
    started: async () => {
      await Promise.race([live?.started, live?.launched.exited]);
    },
    order: (order) => {
      if (order.type === "disturb") disturbances.set(order.fault, order);
      if (order.type === "calm") disturbances.delete(order.fault);
      if (order.type === "command" && order.at !== undefined) planned.push({ ...order, at: order.at });
      live?.line.order(order);
    },
    gone: async () => {
      await leaving;
      await party.kill();
    },
    kill: async () => {
      if (live === undefined) return;
      const { launched, line } = live;
      live.ending = "killed";
      live = undefined;
      isPaused = false;
      launched.signal("SIGKILL");
      world.standStill.order({ type: "gone", party: name, isDead: true });
      world.say({ ev: "process", state: "killed" });
      await Promise.all([launched.exited, line.closed]);
    },
    pause: () => {
      if (live === undefined || isPaused) return;
      isPaused = true;
      world.standStill.order({ type: "pause", party: name });
    },
    resume: () => {
      if (live === undefined || !isPaused) return;
      isPaused = false;
      world.standStill.order({ type: "resume", party: name });
    },
    takeTurns: (still, every) => {
      const turns = ++turnsTaken;
      world.standStill.order({ type: "turns", turns, party: name, still, every });
      return () => world.standStill.order({ type: "end", turns });
    },
    quiet: (ms) =>
      new Promise((resolve) => {
        if (live === undefined || isPaused || live.sessions.size === 0) return resolve();
        const done = (): void => {
          clearTimeout(limit);
          quietened.delete(done);
          resolve();
        };
        const limit = setTimeout(done, ms);
        quietened.add(done);
      }),
    stop: async () => {
      if (live === undefined) return;
      const process = live;
      live = undefined;
      process.ending = "stopped";
      if (isPaused) {
        process.launched.signal("SIGKILL");
        world.standStill.order({ type: "gone", party: name, isDead: true });
        await process.launched.exited;
        world.say({ ev: "process", state: "exited", detail: "it was still paused" });
        return;
      }
      world.standStill.order({ type: "gone", party: name, isDead: false });
      process.line.order({ type: "stop" });
      const limit = setTimeout(() => {
        world.say({ ev: "process", state: "killed", detail: `it did not stop within ${stopMs / 1_000} s` });
        process.launched.signal("SIGKILL");
        fail(`did not stop within ${stopMs / 1_000} s`);
      }, stopMs);
      const [exit] = await Promise.all([process.launched.exited, process.line.closed]);
      clearTimeout(limit);
      if (exit.code !== 0 && exit.signal === null) fail(`failed while it stopped (${wordsOf(exit)})`);
    },
    dispose: async () => {
      isOver = true;
      world.standStill.order({ type: "gone", party: name, isDead: true });
      await Promise.allSettled(starts);
      for (const launched of processes) launched.signal("SIGKILL");
      await Promise.all([...processes].map((launched) => launched.exited));
    },
    stderrTail: () => tail(),
  };
  return party;
}

/** The run is over, as has been told elsewhere: nothing comes of this. */
const never = (): Promise<never> => new Promise(() => undefined);

const wordsOf = ({ code, signal }: Exit): string => (signal === null ? `exit code ${code}` : signal);

/**
 * The emulator process: moves frames between the two macvtap devices of each wire, when and if the impairment core says so. It has a
 * process of its own so that nothing the lab does delays a packet; it takes orders over IPC and ends when that channel closes.
 */
import { writeFileSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { TimeHeap } from "../../impl/base/heap.ts";
import { randomness } from "../../impl/base/random.ts";
import type { DropRecord } from "../../impl/base/record.ts";
import type { Instant } from "../../impl/base/units.ts";
import { monotonicClock } from "../../impl/io/monotonic-clock.ts";
import { watchStalls } from "../../impl/io/stall-watch.ts";
import { type CaptureFile, captureFile } from "./capture-file.ts";
import { type EmulatedWire, emulatedWire, type Held, type Way } from "./emulated-wire.ts";
import type { FromEmulator, ToEmulator } from "./emulator-messages.ts";
import { openTap, type Tap } from "./tap.ts";
import { wakeTimer } from "./wake-timer.ts";

/** Milliseconds that drops wait to be told together. chosen: one message for a burst, still at once to a reader of the log. */
const TELL_EVERY = 5;

const tell = (message: FromEmulator): void => {
  process.send?.(message);
};

const overlays = new Map<number, () => void>();
const wires: EmulatedWire[] = [];
const drops: (readonly [number, DropRecord])[] = [];
let telling: NodeJS.Timeout | undefined;
const captures: CaptureFile[] = [];
let hasBegun = false;
let clock = monotonicClock();
const now = (): Instant => clock.now();

const tellDrops = (): void => {
  clearTimeout(telling);
  telling = undefined;
  if (drops.length > 0) tell({ type: "drops", drops: drops.splice(0) });
};

function attach(order: Extract<ToEmulator, { type: "attach" }>): void {
  clock = monotonicClock(order.epoch);
  const draws = randomness(order.seed);
  type Waiting = { readonly wire: EmulatedWire; readonly out: Tap; readonly held: Held; keep(frame: Uint8Array): void };
  const queue = new TimeHeap<Waiting>();
  const releaseDue = (): void => {
    for (;;) {
      const due = queue.peek();
      if (due === undefined || due > now()) break;
      const { wire, out, held, keep } = queue.pop();
      if (!wire.release(now(), held)) continue;
      out.send(held.frame);
      if (held.way === "down") keep(held.frame);
    }
    timer.set(queue.peek() as Instant | undefined);
  };
  const timer = wakeTimer(now, releaseDue);
  let reader: Tap["reader"] = order.reader;
  for (const setup of order.wires) {
    const capture = setup.capture === undefined ? undefined : captureFile(setup.capture, `${setup.party}/${setup.interface}`);
    if (capture !== undefined) captures.push(capture);
    const keep = (way: Way, frame: Uint8Array): void => {
      if (hasBegun) capture?.add(now(), way, frame);
    };
    const keepDown = (frame: Uint8Array): void => keep("down", frame);
    const wire = emulatedWire(setup, draws, {
      hold: (held) => queue.push(held.due, { wire, out: held.way === "up" ? outer : inner, held, keep: keepDown }),
      drop: (drop) => {
        drops.push([now(), { ev: "drop", ...drop }]);
        telling ??= setTimeout(tellDrops, TELL_EVERY);
      },
    });
    const open = (path: string, way: Way): Tap =>
      openTap(
        path,
        order.reader,
        (frame) => {
          if (way === "up") keep("up", frame);
          wire.offer(now(), way, frame);
          releaseDue();
        },
        (cause) => fail(`${setup.party}/${setup.interface}: its device cannot be read any more: ${cause.message}`),
      );
    const inner = open(setup.inner, "up");
    const outer = open(setup.outer, "down");
    reader = inner.reader;
    wires.push(wire);
  }
  tell({ type: "attached", reader });
}

function fail(reason: string): void {
  tell({ type: "failed", reason });
  process.disconnect();
}

/**
 * A call's own processes share the machine: what carries their packets goes first, as a kernel would. This process leads a session of its
 * own, and where the kernel schedules by session (sched(7), autogroup) the session's priority counts, not the process's.
 */
function hurry(): void {
  for (const raise of [
    () => setPriority(constants.priority.PRIORITY_HIGHEST),
    () => writeFileSync("/proc/self/autogroup", String(constants.priority.PRIORITY_HIGHEST)),
  ]) {
    try {
      raise();
    } catch {
      // Without the right or the kernel for it, packets leave later on a busy machine, which `lateness` tells.
    }
  }
}

function settle(order: Extract<ToEmulator, { type: "settle" }>): void {
  for (const capture of captures) capture.flush();
  tellDrops();
  const touched = order.faults.map((fault) => [fault, wires.reduce((sum, wire) => sum + wire.touched(fault), 0)] as const);
  tell({ type: "settled", request: order.request, counters: wires.map((wire) => wire.counters()), touched });
}

function obey(order: ToEmulator): void {
  switch (order.type) {
    case "attach":
      return attach(order);
    case "begin":
      clock = monotonicClock(order.epoch);
      hasBegun = true;
      watchStalls((stall) => tell({ type: "stall", at: now(), stall }));
      return;
    case "lay": {
      const undo = wires[order.wire]?.lay(order.direction, order.model, order.fault);
      if (undo !== undefined) overlays.set(order.overlay, undo);
      return;
    }
    case "sever": {
      const undo = wires[order.wire]?.sever(order.fault);
      if (undo !== undefined) overlays.set(order.overlay, undo);
      return;
    }
    case "undo":
      overlays.get(order.overlay)?.();
      overlays.delete(order.overlay);
      return;
    case "near":
      return wires[order.wire]?.near(order.hosts);
    case "settle":
      return settle(order);
  }
}

hurry();
// Not `exit`, which waits for the thread pool's blocking reads; nothing is left to do here, the kernel closes the devices.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
process.on("message", (order: ToEmulator) => {
  try {
    obey(order);
  } catch (cause) {
    fail(cause instanceof Error ? cause.message : String(cause));
  }
});
tell({ type: "started" });

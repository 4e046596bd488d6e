/**
 * The thread that lets prepared packets go, each at its instant: it sleeps until one is due (clock_nanosleep(2)) and gives it to its socket (sendto(2)), and has nothing else to do,
 * so that neither a collection of garbage nor a busy event loop is in when a packet leaves.
 */
import { readlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import { CONTROL, NAME_AT, PACKET_AT, type PacedRun, SLOT_BYTES, SLOTS, SLOTS_AT, WORD } from "./paced-sender.ts";

/** clock_gettime(2): the clock that the kernel stamps arrivals with. */
const CLOCK_REALTIME = 0;
const TIMER_ABSTIME = 1;
const MSG_DONTWAIT = 0x40;
/** While a packet that is due is not prepared yet, it is looked for so often, nanoseconds. chosen: the time between two packets of a full load. */
const LOOK_AGAIN = 100_000;

const library = (createRequire(import.meta.url)("koffi") as typeof import("koffi")).load(null);
const sleep = library.func("int clock_nanosleep(int clock, int flags, const void *request, void *remain)");
const gettime = library.func("int clock_gettime(int clock, void *time)");
const sendto = library.func("long sendto(int fd, void *packet, size_t length, int flags, void *name, uint32_t nameLength)");
const address = (createRequire(import.meta.url)("koffi") as typeof import("koffi")).address;

const memory = workerData as SharedArrayBuffer;
const control = new Int32Array(memory, 0, SLOTS_AT / 4);
const slots = Array.from({ length: SLOTS }, (_, n) => {
  const at = SLOTS_AT + n * SLOT_BYTES;
  const pointer = (offset: number): bigint => address(new Uint8Array(memory, at + offset, 1));
  return { words: new Int32Array(memory, at, NAME_AT / 4), name: pointer(NAME_AT), packet: pointer(PACKET_AT) };
});

/** struct timespec, its seconds and nanoseconds in the lower halves of two words of 64 bits. So many octets lie outside the heap, where nothing moves. */
const [now, until] = [new Uint32Array(32), new Uint32Array(32)];

/** Microseconds. */
function time(): number {
  gettime(CLOCK_REALTIME, now);
  return (now[0] as number) * 1e6 + (now[2] as number) / 1e3;
}

function sleepUntil(micros: number): void {
  const seconds = Math.floor(micros / 1e6);
  until[0] = seconds;
  until[2] = Math.min(999_999_999, Math.round((micros - seconds * 1e6) * 1e3));
  sleep(CLOCK_REALTIME, TIMER_ABSTIME, until, null);
}

/** Returns how many the system took none of. */
function run({ began, interval, count, sentAt: shared }: PacedRun): number {
  const sentAt = new Float64Array(shared);
  let refused = 0;
  for (let n = 0; n < count; n++) {
    const due = began + n * interval;
    if (time() < due) sleepUntil(due);
    while (Atomics.load(control, CONTROL.prepared) <= n) {
      if (Atomics.load(control, CONTROL.stopped) !== 0) return refused;
      sleepUntil(time() + LOOK_AGAIN / 1e3);
    }
    const slot = slots[n % SLOTS] as (typeof slots)[number];
    const { words } = slot;
    const length = words[WORD.length] as number;
    if (length > 0) {
      sentAt[n] = time();
      const sent = sendto(words[WORD.fd], slot.packet, length, MSG_DONTWAIT, slot.name, words[WORD.nameLength]);
      if (Number(sent) < length) refused++;
    }
    Atomics.store(control, CONTROL.sent, n + 1);
  }
  return refused;
}

parentPort?.on("message", (one: PacedRun) => parentPort?.postMessage({ refused: run(one) }));
parentPort?.postMessage({ thread: Number(readlinkSync("/proc/thread-self").split("/").at(-1)) });

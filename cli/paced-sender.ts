/**
 * Packets that leave at their instants whatever else this process does: they are prepared a little ahead, sealed and addressed, in memory that a thread of its own shares, and that
 * thread does nothing but sleep and send. The event loop's own timers are late by what it is busy with, and what leaves late leaves in a burst, which is then in every delay measured.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { NAME_ROOM } from "../impl/io/packet-batch.ts";
import { LARGEST_PACKET } from "../impl/io/udp-address.ts";
import { MODULE_EXTENSION } from "./version.ts";

/** What a run is for the thread: packet n is due at `began + n * interval`, microseconds of CLOCK_REALTIME; when it left goes into `sentAt` (Float64Array), if its slot had it. */
export type PacedRun = {
  readonly began: number;
  readonly interval: number;
  readonly count: number;
  readonly sentAt: SharedArrayBuffer;
};

/** Packets prepared and not sent yet, at most. chosen: a power of two above what is prepared ahead. */
export const SLOTS = 512;
/** Words of a slot, of four octets; then a struct sockaddr, then the packet. */
export const WORD = { fd: 0, length: 1, nameLength: 2 } as const;
export const NAME_AT = 16;
export const PACKET_AT: number = NAME_AT + NAME_ROOM;
export const SLOT_BYTES: number = PACKET_AT + LARGEST_PACKET;
/** Words in front of the slots: packets prepared, packets sent, whether to stop. */
export const CONTROL = { prepared: 0, sent: 1, stopped: 2 } as const;
export const SLOTS_AT = 64;

/** Room for the packet that is being prepared. Without one nothing is sent in its turn. */
export type Slot = {
  /** Whether it has one. */
  readonly isTaken: boolean;
  /**
   * `fd`: the socket; `name`: the struct sockaddr, with port, of whom it is for. Arrays are the caller's again. Returns the packet that it had before, which has to leave otherwise: a
   * session that had to wait with its last packet sends that first.
   */
  put(fd: number, packet: Uint8Array, name: Uint8Array): Uint8Array | undefined;
};

export type PacedSender = {
  /** For `chrt(1)` and `taskset(1)`. */
  readonly thread: number;
  /** Begins a run; one at a time. */
  begin(run: PacedRun): void;
  /** Packets that may be prepared so far: more have no slot yet. */
  readonly room: number;
  /** Prepares the next one: `fill` may put a packet into its slot. */
  prepare(fill: (slot: Slot) => void): void;
  /** Resolves when all of the run are sent, or with `isOver` those that are prepared: how many of them the system did not take. */
  ended(isOver: boolean): Promise<number>;
  close(): Promise<void>;
};

export async function pacedSender(): Promise<PacedSender> {
  const memory = new SharedArrayBuffer(SLOTS_AT + SLOTS * SLOT_BYTES);
  const control = new Int32Array(memory, 0, SLOTS_AT / 4);
  const octets = new Uint8Array(memory);
  const words = new Int32Array(memory);
  const worker = new Worker(new URL(`./paced-sender-thread${MODULE_EXTENSION}`, import.meta.url), { workerData: memory });
  const [{ thread }] = (await once(worker, "message")) as [{ readonly thread: number }];
  let prepared = 0;
  let over: Promise<number> | undefined;
  let isTaken = false;
  const at = (): number => SLOTS_AT + (prepared % SLOTS) * SLOT_BYTES;
  const slot: Slot = {
    get isTaken() {
      return isTaken;
    },
    put: (fd, packet, name) => {
      const word = at() / 4;
      const start = at() + PACKET_AT;
      const before = isTaken ? octets.slice(start, start + (words[word + WORD.length] as number)) : undefined;
      words[word + WORD.fd] = fd;
      words[word + WORD.length] = packet.length;
      words[word + WORD.nameLength] = name.length;
      octets.set(name, at() + NAME_AT);
      octets.set(packet, start);
      isTaken = true;
      return before;
    },
  };
  return {
    thread,
    begin: (run) => {
      prepared = 0;
      control.fill(0);
      over = once(worker, "message").then((told) => (told as [{ readonly refused: number }])[0].refused);
      worker.postMessage(run);
    },
    get room() {
      return Atomics.load(control, CONTROL.sent) + SLOTS;
    },
    prepare: (fill) => {
      words[at() / 4 + WORD.length] = 0;
      isTaken = false;
      fill(slot);
      Atomics.store(control, CONTROL.prepared, ++prepared);
    },
    ended: async (isOver) => {
      if (isOver) Atomics.store(control, CONTROL.stopped, 1);
      return (await over) ?? 0;
    },
    close: async () => void (await worker.terminate()),
  };
}

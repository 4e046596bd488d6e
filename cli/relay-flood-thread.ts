/** Throws a flood at a port of loopback, evenly over its time, from a thread of its own: what sends voice beside it is not kept from it. */
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { Stream } from "../impl/base/random.ts";
import type { FloodOrder } from "./relay-flood.ts";

/** Octets. */
const LARGEST_GARBAGE = 1_200;
/** One of four is up to that long, the others up to this. */
const USUAL_GARBAGE = 90;
/** Where garbage is cut from. */
const NOISE_BYTES = 1 << 20;
/** Between bundles, milliseconds. */
const EVERY = 2;

const { port, garbage, flights, seconds, control } = workerData as FloodOrder;
const isOver = new Int32Array(control);
const luck = new Stream(7, "flood");
const noise = randomBytes(NOISE_BYTES);
const socket = createSocket({ type: "udp4", lookup: (name, _, done) => done(null, name, 4) });
socket.bind(0, "127.0.0.9");
await once(socket, "listening");
parentPort?.postMessage({ thread: Number(readlinkSync("/proc/thread-self").split("/").at(-1)) });
if (parentPort !== null) await once(parentPort, "message");

const began = performance.now();
let [thrown, opened] = [0, 0];
while (Atomics.load(isOver, 0) === 0 && (thrown < garbage || opened < flights.length)) {
  const share = Math.min(1, (performance.now() - began) / (seconds * 1_000));
  for (; thrown < Math.floor(garbage * share); thrown++) {
    const at = luck.nextBelow(noise.length - LARGEST_GARBAGE);
    const length = 1 + luck.nextBelow(thrown % 4 === 0 ? LARGEST_GARBAGE : USUAL_GARBAGE);
    socket.send(noise.subarray(at, at + length), port, "127.0.0.1");
  }
  for (; opened < Math.floor(flights.length * share); opened++) socket.send(flights[opened] as Uint8Array, port, "127.0.0.1");
  await pause(EVERY);
}
await new Promise<void>((resolve) => socket.close(resolve));
parentPort?.postMessage({ thrown, opened });
parentPort?.unref();

/** A flood at a relay that carries calls: garbage, and first packets of handshakes that nobody goes on with. */
import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { Stream } from "../impl/base/random.ts";
import { openUdpSocket } from "../impl/io/udp-socket.ts";
import type { MeasuredProcess } from "./measured-process.ts";
import type { Resident } from "./resident-memory.ts";

/** What was thrown at the relay while it carried calls, within so many seconds, and what of it was resident. */
export type Flood = {
  readonly garbage: number;
  readonly halfOpen: number;
  readonly seconds: number;
  readonly before: Resident;
  /** Octets. */
  readonly residentAtWorst: number;
};

/** So much, evenly over so many seconds. `flights`: first packets of handshakes. */
export type FloodOrder = {
  readonly port: number;
  readonly garbage: number;
  readonly flights: readonly Uint8Array[];
  readonly seconds: number;
};

/** Octets. */
const LARGEST_GARBAGE = 1_200;
/** Where garbage is cut from. */
const NOISE_BYTES = 1 << 20;

/** Resolves when all is thrown, or what was thrown until `signal` was aborted. */
export async function flood(
  relay: MeasuredProcess,
  { port, garbage, flights, seconds }: FloodOrder,
  signal: AbortSignal,
): Promise<Flood> {
  const luck = new Stream(7, "flood");
  const to = { host: "127.0.0.1", port };
  const socket = await openUdpSocket({ host: "127.0.0.9", port: 0 });
  const ignored = (): void => undefined;
  socket.listen({ heard: ignored, oversized: ignored, refused: ignored, readable: () => void socket.read() });
  const noise = new Uint8Array(randomBytes(NOISE_BYTES));
  const before = await relay.resident();
  let residentAtWorst = before.all;
  const look = async (): Promise<void> => {
    residentAtWorst = Math.max(residentAtWorst, await relay.residentBytes());
  };
  const began = performance.now();
  let [thrown, opened] = [0, 0];
  while (!signal.aborted && (thrown < garbage || opened < flights.length)) {
    const share = Math.min(1, (performance.now() - began) / (seconds * 1_000));
    for (; thrown < Math.floor(garbage * share); thrown++) {
      const at = luck.nextBelow(noise.length - LARGEST_GARBAGE);
      socket.send(noise.subarray(at, at + 1 + luck.nextBelow(thrown % 4 === 0 ? LARGEST_GARBAGE : 90)), to);
    }
    for (; opened < Math.floor(flights.length * share); opened++) socket.send(flights[opened] as Uint8Array, to);
    socket.flush();
    if (thrown % 5_000 < 50) await look();
    await pause(5);
  }
  await socket.close();
  await look();
  return { garbage: thrown, halfOpen: opened, seconds, before, residentAtWorst };
}

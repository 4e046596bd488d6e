import { createSocket } from "node:dgram";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, test } from "vitest";
import { batchedUdpSocket } from "./batched-udp-socket.ts";
import type { IoError } from "./io-error.ts";
import { kernelSockets } from "./kernel-socket.ts";
import type { Host } from "./quic-engine.ts";
import { LARGEST_PACKET } from "./udp-address.ts";
import { openUdpSocket, type UdpOptions, type UdpSocket } from "./udp-socket.ts";

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of cleanup.splice(0).reverse()) await release();
});
const HERE = "127.0.0.1";
type Heard = { readonly bytes: Uint8Array; readonly from: Host; readonly at: number | undefined };
type Open = UdpSocket & { readonly heard: Heard[]; readonly told: string[]; readonly batches: number[] };

const open = async (options: UdpOptions, isReading = true): Promise<Open> => {
  const socket = await openUdpSocket(options);
  const [heard, told, batches]: [Heard[], string[], number[]] = [[], [], []];
  socket.listen({
    heard: (packet, from, at) => void heard.push({ bytes: new Uint8Array(packet), from, at }),
    oversized: (octets, from) => void told.push(`oversized ${octets} from ${from.host}`),
    readable: () => {
      for (let count = isReading ? socket.read() : 0; count > 0; count = socket.read()) batches.push(count);
    },
    refused: (code) => void told.push(code),
  });
  cleanup.push(() => socket.close());
  return { ...socket, heard, told, batches };
};
/** The test's own limit ends it. */
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
};
const numbered = (n: number, length = 90): Uint8Array => new Uint8Array(length).fill(n & 255);

describe.for([["batched", {}] as const, ["plain", { kind: "plain" }] as const])("a %s UDP socket", ([name, kind]) => {
  const opened = (options: Omit<UdpOptions, "kind">, isReading = true): Promise<Open> => open({ ...options, ...kind }, isReading);

  test.skipIf(name === "batched" && kernelSockets() === undefined)(
    "packets of every size arrive once, whole and in order, with their sender, from arrays that are used again",
    async () => {
      const [a, b] = [await opened({ host: HERE, port: 0 }), await opened({ host: HERE, port: 0 })];
      const sizes = [0, 1, 88, 1_200, 1_472, LARGEST_PACKET];
      const scratch = new Uint8Array(LARGEST_PACKET);
      for (let n = 0; n < 200; n++) {
        const length = sizes[n % sizes.length] as number;
        a.send(scratch.fill(n).subarray(0, length), b.local);
        a.flush();
        if (n % 50 === 49) await until(() => b.heard.length > n);
      }
      expect(b.heard.map(({ bytes }) => [bytes.length, bytes.every((one, _, all) => one === all[0])])).toEqual(
        Array.from({ length: 200 }, (_, n) => [sizes[n % sizes.length], true]),
      );
      expect(b.heard.flatMap(({ bytes }, n) => (bytes.length === 0 ? [n & 255] : [bytes[0]]))).toEqual(
        Array.from({ length: 200 }, (_, n) => n & 255),
      );
      expect(new Set(b.heard.map(({ from }) => `${from.host} ${from.port}`))).toEqual(new Set([`${HERE} ${a.local.port}`]));
      expect([...a.told, ...b.told]).toEqual([]);
    },
  );

  test("what is too long to be of ours is told by its length and kept from who listens; it is not sent either", async () => {
    const [a, stranger] = [await opened({ host: HERE, port: 0 }), createSocket("udp4")];
    cleanup.push(() => stranger.close());
    stranger.send(new Uint8Array(9_000), a.local.port, HERE);
    stranger.send(numbered(1), a.local.port, HERE);
    await until(() => a.heard.length === 1);
    expect(a.told).toEqual([`oversized 9000 from ${HERE}`]);
    a.send(new Uint8Array(LARGEST_PACKET + 1), a.local);
    expect(a.told.slice(1)).toEqual(["EMSGSIZE"]);
  });

  test("what the system refuses is told by its error, and takes nothing that comes behind it along", async () => {
    const [a, b] = [await opened({ host: HERE, port: 0 }), await opened({ host: HERE, port: 0 })];
    a.send(numbered(1), b.local);
    a.send(numbered(2), { host: "255.255.255.255", port: 9 }); // broadcast without leave (socket(7), SO_BROADCAST)
    a.send(numbered(3), b.local);
    a.flush();
    await until(() => b.heard.length === 2 && a.told.length === 1);
    expect(b.heard.map(({ bytes }) => bytes[0])).toEqual([1, 3]);
    expect(a.told).toEqual(["EACCES"]);
  });

  test("one for both families hears and reaches each by its own address", async () => {
    const both = await opened({ host: "::", port: 0 });
    const [four, six] = [await opened({ host: HERE, port: 0 }), await opened({ host: "::1", port: 0 })];
    for (const [one, host] of [[four, HERE] as const, [six, "::1"] as const]) {
      one.send(numbered(1), { host, port: both.local.port });
      one.flush();
      await until(() => both.heard.at(-1)?.from.port === one.local.port);
      expect(both.heard.at(-1)?.from).toEqual({ host, port: one.local.port });
      both.send(numbered(2), one.local);
      both.flush();
      await until(() => one.heard.length === 1);
      expect(one.heard[0]?.from).toEqual({ host, port: both.local.port });
    }
    expect(both.local.host).toBe("::");
    expect([four.reaches("::1"), six.reaches(HERE), both.reaches(HERE), both.reaches("::1")]).toEqual([false, false, true, true]);
  });

  test("a link-local sender has its zone in its address, and is answered there", async () => {
    const found = Object.entries(networkInterfaces()).find(([, all]) => all?.some((one) => one.scopeid ?? 0) === true);
    const local = found?.[1]?.find((one) => (one.scopeid ?? 0) > 0)?.address;
    if (found === undefined || local === undefined) return; // a machine without a link-local address has none to be sent from
    const [a, b] = [await opened({ host: "::", port: 0 }), await opened({ host: "::", port: 0 })];
    const host = `${local}%${found[0]}`;
    a.send(numbered(1), { host, port: b.local.port });
    a.flush();
    await until(() => b.heard.length === 1);
    expect(b.heard[0]?.from).toEqual({ host, port: a.local.port });
    b.send(numbered(2), (b.heard[0] as Heard).from);
    b.flush();
    await until(() => a.heard.length === 1);
  });

  test("a port already taken is an IoError that says so", async () => {
    const first = await opened({ host: HERE, port: 0 });
    const error = (await opened({ host: HERE, port: first.local.port }).catch((thrown: unknown) => thrown)) as IoError;
    expect([error.code, error.message]).toEqual(["bind", expect.stringContaining(`${HERE}:${first.local.port}`)]);
  });

  test("what was given before the close is sent, and the port is free afterwards", async () => {
    const [a, b] = [await opened({ host: HERE, port: 0 }), await opened({ host: HERE, port: 0 })];
    for (let n = 0; n < 5; n++) a.send(numbered(n), b.local);
    await a.close();
    await until(() => b.heard.length === 5);
    const again = await opened({ host: HERE, port: a.local.port });
    expect(again.local).toEqual(a.local);
  });
});

describe.skipIf(kernelSockets() === undefined)("a batched UDP socket", () => {
  test("many packets pass in few calls, told with the time the kernel had them", async () => {
    const b = await open({ host: HERE, port: 0, stamps: true });
    const a = await open({ host: HERE, port: 0 });
    const before = Date.now();
    for (let n = 0; n < 32; n++) a.send(numbered(n), b.local);
    a.flush();
    await until(() => b.heard.length === 32);
    expect(b.batches.length).toBeLessThan(8);
    const stamps = b.heard.map(({ at }) => (at as number) / 1_000);
    expect(stamps).toEqual(stamps.toSorted((x, y) => x - y));
    expect(stamps[0]).toBeGreaterThan(before - 5);
    expect(stamps[31]).toBeLessThan(Date.now() + 5);
  });

  test("packets that the system takes none of wait for it, up to a bound, and the newest beyond that are refused", async () => {
    const kernel = kernelSockets();
    if (kernel === undefined) throw new Error("no kernel sockets");
    let room = 0;
    const sent: number[] = [];
    let ready: Parameters<typeof kernel.poll>[1] | undefined;
    let [awaits, errno] = [false, 11];
    const full = {
      ...kernel,
      // As a device whose queue is full answers: EAGAIN, and readiness once there is room.
      send: (_: number, messages: bigint, count: number): number => {
        void messages;
        const taken = Math.min(room, count);
        room -= taken;
        sent.push(taken);
        return taken === 0 ? -1 : taken;
      },
      errno: () => errno,
      poll: (_: number, told: Parameters<typeof kernel.poll>[1]) => {
        ready = told;
        const awaitsRoom = (does: boolean): void => {
          awaits = does;
        };
        return { awaitsRoom, close: () => undefined };
      },
    };
    const socket = batchedUdpSocket({ host: HERE, port: 0 }, full);
    if (socket === undefined) throw new Error("no socket");
    const told: string[] = [];
    const listener = { heard: () => undefined, oversized: () => undefined, readable: () => undefined };
    socket.listen({ ...listener, refused: (code) => void told.push(code) });
    for (let n = 0; n < 70; n++) socket.send(numbered(n), socket.local);
    expect([awaits, told]).toEqual([true, Array.from({ length: 6 }, () => "EAGAIN")]);
    room = 40;
    ready?.({ readable: false, writable: true });
    expect(awaits).toBe(true);
    room = 1_000;
    ready?.({ readable: false, writable: true });
    expect([awaits, sent.reduce((sum, one) => sum + one, 0)]).toEqual([false, 64]);
    errno = 0;
    await socket.close();
  });

  test("a thread that is ended while it is spoken to takes nothing with it", async () => {
    const code = `const { parentPort } = require("node:worker_threads");
      import(${JSON.stringify(new URL("udp-socket.ts", import.meta.url).href)}).then(async ({ openUdpSocket }) => {
        const socket = await openUdpSocket({ host: "127.0.0.1", port: 0 });
        socket.listen({ heard() {}, oversized() {}, refused() {}, readable() { while (socket.read() > 0); } });
        parentPort.postMessage(socket.local.port);
      });`;
    const worker = new Worker(code, { eval: true });
    const [port] = (await once(worker, "message")) as [number];
    const a = await open({ host: HERE, port: 0 });
    for (let n = 0; n < 20; n++) a.send(numbered(n), { host: HERE, port });
    a.flush();
    await worker.terminate();
  });
});

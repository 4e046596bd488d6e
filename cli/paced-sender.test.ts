import { afterEach, expect, test } from "vitest";
import { kernelSockets } from "../impl/io/kernel-socket.ts";
import { openLoadSocket } from "./load-socket.ts";
import { listed } from "./own-core.ts";
import { pacedSender, SLOTS } from "./paced-sender.ts";

const kernel = kernelSockets();
const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of cleanup.splice(0).reverse()) await release();
});

/** A sender, its socket, and another that hears it: first octet and kernel's stamp of each packet. */
const world = async () => {
  const pace = await pacedSender();
  const [from, to] = [openLoadSocket("127.0.0.1", 10), openLoadSocket("127.0.0.2", 10)];
  cleanup.push(
    () => pace.close(),
    () => from.close(),
    () => to.close(),
  );
  const heard: { readonly first: number; readonly at: number }[] = [];
  to.listen({
    heard: (packet, _, at) => heard.push({ first: packet[0] as number, at: at ?? Number.NaN }),
    oversized: () => undefined,
    refused: () => undefined,
    readable: () => undefined,
  });
  const read = (): void => {
    while (to.read() > 0);
  };
  const prepare = (octets: readonly number[]): void =>
    pace.prepare((slot) => {
      from.slot = slot;
      for (const first of octets) from.send(new Uint8Array(20).fill(first), to.local);
      from.slot = undefined;
    });
  return { pace, prepare, heard, read };
};

test.skipIf(kernel === undefined)("packets leave in their order and none before it is due, and each is timed", async () => {
  const { pace, prepare, heard, read } = await world();
  const count = 200;
  const sentAt = new SharedArrayBuffer(8 * count);
  const began = (kernel?.time() ?? 0) + 5_000;
  pace.begin({ began, interval: 500, count, sentAt });
  for (let n = 0; n < count; n++) prepare([n]);
  expect(await pace.ended(false)).toBe(0);
  read();
  const times = new Float64Array(sentAt);
  expect(heard.map((one) => one.first)).toEqual(Array.from({ length: count }, (_, n) => n));
  expect([...times].filter((at, n) => at < began + n * 500)).toEqual([]);
  expect(heard.filter(({ at }, n) => at < (times[n] as number))).toEqual([]);
});

test.skipIf(kernel === undefined)(
  "an empty slot is passed over, a packet that had to wait leaves at once and before the one after it, and a run can be broken off",
  async () => {
    const { pace, prepare, heard, read } = await world();
    pace.begin({ began: kernel?.time() ?? 0, interval: 1_000, count: 4, sentAt: new SharedArrayBuffer(8 * 4) });
    prepare([]);
    prepare([1, 2]);
    expect(await pace.ended(true)).toBe(0); // two of four were prepared
    read();
    expect(heard.map((one) => one.first)).toEqual([1, 2]);
  },
);

test.skipIf(kernel === undefined)("there is room for so many packets and no more before the first has left", async () => {
  const { pace, prepare } = await world();
  pace.begin({ began: (kernel?.time() ?? 0) + 50_000, interval: 0, count: 1, sentAt: new SharedArrayBuffer(8) });
  expect(pace.room).toBe(SLOTS);
  prepare([1]);
  await pace.ended(false);
  expect(pace.room).toBe(SLOTS + 1);
});

test("a list of processors, as the kernel writes it", () => {
  expect(listed("0-2,5")).toEqual([0, 1, 2, 5]);
  expect(listed("3")).toEqual([3]);
  expect(listed("")).toEqual([]);
});

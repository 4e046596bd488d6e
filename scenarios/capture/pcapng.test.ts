import fc from "fast-check";
import { expect, test } from "vitest";
import { type CapturedPacket, captureHead, packetBlock } from "./pcapng.ts";
import { udpPacket } from "./udp-packet.ts";

type Block = { readonly type: number; readonly body: DataView };

/** Blocks of a file, their two lengths held equal. */
function blocksOf(file: Uint8Array): Block[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const blocks: Block[] = [];
  for (let at = 0; at < file.length; ) {
    const length = view.getUint32(at + 4, true);
    expect(length % 4).toBe(0);
    expect(view.getUint32(at + length - 4, true)).toBe(length);
    blocks.push({ type: view.getUint32(at, true), body: new DataView(file.buffer, file.byteOffset + at + 8, length - 12) });
    at += length;
  }
  return blocks;
}

/** Options from `at` on: code and octets. */
function optionsOf(body: DataView, at: number): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  for (let place = at; ; ) {
    const [code, length] = [body.getUint16(place, true), body.getUint16(place + 2, true)];
    if (code === 0) {
      expect([length, place + 4]).toEqual([0, body.byteLength]);
      return options;
    }
    options.set(code, new Uint8Array(body.buffer, body.byteOffset + place + 4, length));
    place += 4 + Math.ceil(length / 4) * 4;
  }
}
const text = (octets: Uint8Array | undefined): string => new TextDecoder().decode(octets);

test("the head is a section in little-endian order and one interface with microseconds", () => {
  const [section, description, ...more] = blocksOf(captureHead("ethernet", "alice/wlan0", "midcall"));
  expect(more).toEqual([]);
  expect([section?.type, section?.body.getUint32(0, true)]).toEqual([0x0a0d0d0a, 0x1a2b3c4d]);
  expect([description?.type, description?.body.getUint16(0, true)]).toEqual([1, 1]);
  const options = optionsOf(description?.body as DataView, 8);
  expect([text(options.get(2)), options.get(9)?.[0]]).toEqual(["alice/wlan0", 6]);
});

test("a packet comes back with its instant, octets, length, direction and comment", () => {
  fc.assert(
    fc.property(
      fc.record({
        at: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
        way: fc.constantFrom("up" as const, "down" as const),
        octets: fc.uint8Array({ maxLength: 70 }),
        more: fc.nat({ max: 1_500 }),
        comment: fc.option(fc.string({ maxLength: 40, unit: "grapheme" }), { nil: undefined }),
      }),
      ({ at, way, octets, more, comment }) => {
        const packet: CapturedPacket = {
          at,
          way,
          octets,
          length: octets.length + more,
          ...(comment === undefined ? {} : { comment }),
        };
        const [{ type, body }] = blocksOf(packetBlock(packet)) as [Block];
        const word = (index: number): number => body.getUint32(4 * index, true);
        expect([type, word(0), word(1) * 2 ** 32 + word(2), word(3), word(4)]).toEqual([6, 0, at, octets.length, packet.length]);
        expect(new Uint8Array(body.buffer, body.byteOffset + 20, octets.length)).toEqual(octets);
        const options = optionsOf(body, 20 + Math.ceil(octets.length / 4) * 4);
        expect(options.get(2)).toEqual(Uint8Array.of(way === "down" ? 1 : 2, 0, 0, 0));
        expect(options.has(1) ? text(options.get(1)) : undefined).toBe(comment);
      },
    ),
    { seed: 11, numRuns: 300 },
  );
});

test("the headers of a modelled packet say who, to whom, how long, and have their checksum", () => {
  const packet = udpPacket("192.168.1.2:4433", "198.51.100.3:4433", 175, Uint8Array.of(1, 2));
  expect([...packet.subarray(0, 10)]).toEqual([0x45, 0, 0, 175, 0, 0, 0x40, 0, 64, 17]);
  expect([...packet.subarray(12)]).toEqual([192, 168, 1, 2, 198, 51, 100, 3, 17, 81, 17, 81, 0, 155, 0, 0, 1, 2]);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += ((packet[at] as number) << 8) + (packet[at + 1] as number);
  expect((sum & 0xffff) + (sum >>> 16)).toBe(0xffff);
});

test("over IPv6 the checksum is that of the whole packet, whose missing octets are zeros", () => {
  const packet = udpPacket("[2001:db8:1::2]:4433", "[2001:db8::1]:4433", 48 + 5, Uint8Array.of(1, 2, 3));
  expect([...packet.subarray(0, 8)]).toEqual([0x60, 0, 0, 0, 0, 13, 17, 64]);
  expect([...packet.subarray(8, 24)]).toEqual([0x20, 1, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
  expect([...packet.subarray(40, 46), ...packet.subarray(48)]).toEqual([17, 81, 17, 81, 0, 13, 1, 2, 3]);
  // Addresses, UDP header and payload, and the rest of the pseudo-header.
  let sum = 13 + 17;
  for (let at = 8; at < packet.length; at += 2) sum += ((packet[at] as number) << 8) + (packet[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  expect(sum).toBe(0xffff);
});

test.each([
  ["1.2.3.4:5", "1.2.3:5", 40],
  ["1.2.3.256:5", "1.2.3.4:5", 40],
  ["1.2.3.4:65536", "1.2.3.4:5", 40],
  ["[::1]:5", "1.2.3.4:5", 40],
  ["1.2.3.4:5", "1.2.3.4:5", 27],
  ["1.2.3.4:5", "1.2.3.4:5", 65_536],
])("from %s to %s with %d octets is refused", (from, to, bytes) => expect(() => udpPacket(from, to, bytes)).toThrow(RangeError));

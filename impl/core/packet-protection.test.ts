import fc from "fast-check";
import { expect, test } from "vitest";
import { toHex } from "../base/cursor.ts";
import { InvariantError } from "../base/invariant.ts";
import { parseMediaHeader, withChannel } from "../wire/media-header.ts";
import type { CryptoEngine } from "./crypto.ts";
import { nobleCrypto } from "./noble-crypto.ts";
import { type OpenedMedia, Opener, type OutgoingMedia, Sealer } from "./packet-protection.ts";

const KEY = new Uint8Array(32).fill(7);
const pair = (first = 0) => ({ sealer: new Sealer(nobleCrypto, KEY, first), opener: new Opener(nobleCrypto, KEY) });
const frame = (index: number, over: Partial<OutgoingMedia> = {}): OutgoingMedia => ({
  channel: 1,
  timestamp: index * 960,
  payload: Uint8Array.of(index & 255, index >> 8),
  ...over,
});
const formOf = (packet: Uint8Array): string | undefined => parseMediaHeader(packet)?.form;

test("a steady voice stream is one full header, a few more, and then one a second", () => {
  const { sealer, opener } = pair();
  let full = 0;
  for (let i = 0; i < 1_000; i++) {
    const { packet, seq } = sealer.seal(frame(i));
    if (formOf(packet) === "full") full++;
    expect(seq).toBe(i);
    expect(opener.open(packet)).toMatchObject({
      ok: true,
      seq: i,
      timestamp: i * 960,
      codec: 0,
      frames: 1,
      kind: "speech",
      marker: false,
    });
  }
  expect(full).toBeGreaterThanOrEqual(20);
  expect(full).toBeLessThanOrEqual(30);
});

test("a gap, another codec, another frame count and resync() each bring a full header", () => {
  const { sealer } = pair();
  for (let i = 0; i < 6; i++) sealer.seal(frame(i));
  const forms = (media: OutgoingMedia) => formOf(sealer.seal(media).packet);
  expect(forms(frame(6))).toBe("mini");
  expect(forms(frame(9))).toBe("full"); // silence between
  for (let i = 10; i < 14; i++) sealer.seal(frame(i));
  expect(forms(frame(14))).toBe("mini");
  expect(forms(frame(15, { codec: 1 }))).toBe("full");
  expect(forms(frame(16, { codec: 1, frames: 3 }))).toBe("full");
  for (let i = 1; i < 5; i++) sealer.seal(frame(16 + 3 * i, { codec: 1, frames: 3 }));
  expect(forms(frame(31, { codec: 1, frames: 3 }))).toBe("mini");
  sealer.resync();
  expect(forms(frame(34, { codec: 1, frames: 3 }))).toBe("full");
});

test("numbers go on through resync and are used up at 2^48, never reused", () => {
  const { sealer } = pair(2 ** 48 - 2);
  expect(sealer.seal(frame(0)).seq).toBe(2 ** 48 - 2);
  sealer.resync();
  expect(sealer.seal(frame(1)).seq).toBe(2 ** 48 - 1);
  expect(() => sealer.seal(frame(2))).toThrow(InvariantError);
  expect(() => sealer.seal(frame(3))).toThrow(InvariantError);
});

test("no two packets of a key share a nonce: it is the IV with the packet number laid over its last six octets", () => {
  const nonces: Uint8Array[] = [];
  const watched: CryptoEngine = {
    ...nobleCrypto,
    cipher: (key) => {
      const cipher = nobleCrypto.cipher(key);
      return {
        ...cipher,
        seal: (nonce, associated, plaintext) => {
          nonces.push(nonce.slice());
          return cipher.seal(nonce, associated, plaintext);
        },
      };
    },
  };
  const sealer = new Sealer(watched, KEY, 0xfffe);
  for (let i = 0; i < 400; i++) {
    if (i % 7 === 0) sealer.resync();
    sealer.seal(frame(i % 11, { timestamp: 0, channel: i % 3 }));
  }
  expect(new Set(nonces.map(toHex)).size).toBe(400);
  const iv = nobleCrypto.derive(KEY, new Uint8Array(0), new TextEncoder().encode("midcall media v1"), 44).subarray(32);
  const number = nonces.map((nonce) => nonce.reduce((sum, octet, at) => sum * 256 + (octet ^ (iv[at] as number)), 0));
  expect(number).toEqual(number.map((_, i) => 0xfffe + i));
});

test.each([
  ["channel", { channel: 256 }],
  ["timestamp", { timestamp: -1 }],
  ["timestamp", { timestamp: 2 ** 48 }],
  ["timestamp", { timestamp: 0.5 }],
  ["codec", { codec: 16 }],
  ["frames", { frames: 0 }],
])("a %s out of range is the caller's mistake and uses up no number", (name, over) => {
  const { sealer } = pair();
  expect(() => sealer.seal(frame(0, over))).toThrow(new RegExp(`^${name}: want`));
  expect(sealer.next).toBe(0);
});

test("each refusal has its reason and changes nothing", () => {
  const { sealer, opener } = pair();
  const packets = Array.from({ length: 7 }, (_, i) => sealer.seal(frame(i)).packet);
  const [first, second, mini] = [packets[0], packets[1], packets[6]] as [Uint8Array, Uint8Array, Uint8Array];
  expect(formOf(mini)).toBe("mini");
  expect(opener.open(mini)).toEqual({ ok: false, reason: "unexpected" });
  expect(opener.open(new Uint8Array(0))).toEqual({ ok: false, reason: "malformed" });
  expect(opener.open(first.subarray(0, 12 + 15))).toEqual({ ok: false, reason: "malformed" });
  const forged = first.slice();
  forged[7] = 200; // claims packet 200
  expect(opener.open(forged)).toEqual({ ok: false, reason: "unauthentic" });
  expect(opener.highest).toBe(-1);
  expect(opener.open(first)).toMatchObject({ ok: true, seq: 0 });
  expect(opener.open(first)).toEqual({ ok: false, reason: "replayed" });
  expect(new Opener(nobleCrypto, new Uint8Array(32)).open(second)).toEqual({ ok: false, reason: "unauthentic" });
  expect(opener.open(second)).toMatchObject({ ok: true, seq: 1 });
  expect(opener.open(mini)).toMatchObject({ ok: true, seq: 6, timestamp: 6 * 960 });
});

test("a relay may change the channel and nothing else", () => {
  const { sealer, opener } = pair();
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 0, max: 7 }), (at, bit) => {
      const { packet } = sealer.seal(frame(sealer.next));
      const altered = withChannel(packet, 77);
      const index = at % packet.length;
      altered[index] = (altered[index] as number) ^ (1 << bit);
      if (index !== 1) expect(opener.open(altered).ok).toBe(false);
      expect(opener.open(withChannel(packet, 99))).toMatchObject({ ok: true, channel: 99 });
    }),
    { seed: 30, numRuns: 1_000 },
  );
});

test("random octets never open and never throw", () => {
  const { opener } = pair();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (junk) => !opener.open(junk).ok),
    { seed: 31, numRuns: 1_000 },
  );
});

test("timestamps go on past 2^32", () => {
  const { sealer, opener } = pair();
  for (const start of [2 ** 31, 2 ** 32 - 3 * 960, 2 ** 32 + 2 ** 30, 2 ** 32 + 2 ** 31, 2 ** 33 - 3 * 960]) {
    for (let i = 0; i < 6; i++) {
      const timestamp = start + i * 960;
      expect(opener.open(sealer.seal(frame(0, { timestamp })).packet)).toMatchObject({ ok: true, timestamp });
    }
  }
});

test("packet numbers go on past 2^16 and the high bits are never lost", () => {
  const { sealer, opener } = pair();
  for (let i = 0; i < 66_000; i++) {
    const { packet, seq } = sealer.seal(frame(i));
    if (i % 1_000 === 0 || i > 65_000) expect(opener.open(packet)).toMatchObject({ ok: true, seq, timestamp: i * 960 });
  }
});

test("a blackout longer than the reach of 16 bits ends at the next full header", () => {
  const { sealer, opener } = pair(100_000);
  for (let i = 0; i < 10; i++) opener.open(sealer.seal(frame(i)).packet);
  for (let i = 10; i < 40_000; i++) sealer.seal(frame(i));
  let opened = 0;
  let synchronised = false;
  for (let i = 40_000; i < 40_100; i++) {
    const { packet, seq } = sealer.seal(frame(i));
    synchronised ||= formOf(packet) === "full";
    const result = opener.open(packet);
    expect(result.ok).toBe(synchronised);
    if (result.ok) expect([result.seq, result.timestamp]).toEqual([seq, i * 960]);
    opened += result.ok ? 1 : 0;
  }
  expect(opened).toBeGreaterThanOrEqual(50);
});

/** What the sender does next and how the network treats it. */
const steps = fc.array(
  fc.record({
    gap: fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 500_000 }) }),
    frames: fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) }),
    codec: fc.oneof({ weight: 12, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 1 }) }),
    resync: fc.oneof({ weight: 30, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    copies: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 }) }),
    late: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 60 }) }),
  }),
  { minLength: 20, maxLength: 200 },
);

type Sent = { readonly packet: Uint8Array; readonly media: OutgoingMedia; readonly seq: number; readonly run: number };

function send(sealer: Sealer, plan: (typeof steps extends fc.Arbitrary<infer T> ? T : never)[number][]): Sent[] {
  let [timestamp, frames, codec, run] = [0, 1, 0, 0];
  return plan.map((step, index) => {
    if (step.resync) sealer.resync();
    if (step.gap > 0 || (step.frames > 0 && step.frames !== frames) || (step.codec >= 0 && step.codec !== codec)) run++;
    timestamp += step.gap;
    if (step.frames > 0) frames = step.frames;
    if (step.codec >= 0) codec = step.codec;
    const media = frame(index, { timestamp, frames, codec, channel: index & 255, marker: step.gap > 0 });
    timestamp += frames * 960;
    return { ...sealer.seal(media), media, run };
  });
}

test("whatever the network loses, doubles and reorders, nothing opens wrong or twice", () => {
  let opened = 0;
  let delivered = 0;
  fc.assert(
    fc.property(steps, (plan) => {
      const { sealer, opener } = pair();
      const sent = send(sealer, plan);
      const arrivals = plan.flatMap((step, i) =>
        Array.from({ length: step.copies }, (_, copy) => ({ i, at: i + step.late + copy * 7 })),
      );
      arrivals.sort((a, b) => a.at - b.at || b.i - a.i);
      const seen = new Set<number>();
      for (const { i } of arrivals) {
        const { packet, media, seq } = sent[i] as Sent;
        const result = opener.open(packet);
        delivered++;
        if (!result.ok) continue;
        opened++;
        expect(seen.has(result.seq)).toBe(false);
        seen.add(result.seq);
        const truth: Omit<OpenedMedia, "ok"> = {
          seq,
          timestamp: media.timestamp,
          payload: media.payload,
          codec: media.codec ?? 0,
          frames: media.frames ?? 1,
          marker: media.marker ?? false,
          kind: "speech",
          channel: media.channel,
        };
        expect(result).toEqual({ ok: true, ...truth });
      }
    }),
    { seed: 32, numRuns: 150 },
  );
  expect(opened / delivered).toBeGreaterThan(0.6); // the property is not held by refusing everything
});

test("in order, however much is lost, a packet opens as soon as one full header of its run came before", () => {
  fc.assert(
    fc.property(steps, (plan) => {
      const { sealer, opener } = pair();
      const announced = new Set<number>();
      for (const [i, { packet, run }] of send(sealer, plan).entries()) {
        if (plan[i]?.copies === 0) continue;
        if (formOf(packet) === "full") announced.add(run);
        expect(opener.open(packet).ok).toBe(announced.has(run));
      }
    }),
    { seed: 33, numRuns: 150 },
  );
});

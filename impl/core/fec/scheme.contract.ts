/**
 * What forward error correction promises under any loss, whatever the scheme: `schemeContract` is called for every scheme by the tests of the
 * codes. What must come back is worked out here from the scheme alone, by counting, without any code.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sameBytes } from "../../base/cursor.ts";
import { type FecScheme, nameOfScheme } from "../../base/fec-scheme.ts";
import { Stream } from "../../base/random.ts";
import { CODEC_LADEN, FRAME_UNIT_SAMPLES } from "../../wire/media-header.ts";
import { FRAME_MICROS } from "../codec.ts";
import type { BlockCodes } from "./block-code.ts";
import { parseLadenPayload } from "./laden-payload.ts";
import { type Protected, Protector } from "./protector.ts";
import { type RecoveredPacket, Recoverer } from "./recoverer.ts";
import { holdOf, lanesOf } from "./scheme.ts";
import type { SourcePacket } from "./source-packet.ts";

/** Packets of a run; a tail without loss follows, so that every block is complete. */
const LENGTH = 60;
const TAIL = 140;

/** One thing on the wire: a media packet or a repair packet, sent with the media packet of index `tick`. */
type Sent = { readonly tick: number } & (
  | { readonly kind: "media"; readonly packet: SourcePacket /** Repair packets' worth aboard. */; readonly aboard: number }
  | { readonly kind: "repair"; readonly payload: Uint8Array }
);

/** `count` packets of Opus-like sizes from packet number `first` on. */
export const packetsOf = (count: number, seed: number, first = 0): readonly SourcePacket[] => {
  const draw = new Stream(seed, "packets");
  return Array.from({ length: count }, (_, i) => ({
    seq: first + i,
    timestamp: (first + i) * FRAME_UNIT_SAMPLES,
    codec: 0,
    frames: 1,
    payload: draw.nextBytes(2 + draw.nextBelow(90)),
  }));
};

/** What a scheme puts on the wire for these packets. */
export function sentBy(scheme: FecScheme, codes: BlockCodes, packets: readonly SourcePacket[]): readonly Sent[] {
  const protector = new Protector(scheme, codes);
  return packets.flatMap((packet, tick): Sent[] => {
    const out: Protected = protector.protect(packet);
    const own = { ...packet, payload: out.payload, codec: out.codec };
    const aboard = out.codec === CODEC_LADEN ? (parseLadenPayload(out.payload)?.pieces.length ?? 0) : 0;
    return [
      { tick, kind: "media", packet: own, aboard },
      ...out.repairs.map((payload): Sent => ({ tick, kind: "repair", payload })),
    ];
  });
}

/** Which of the lost packets must come back when `isLost` says what was lost; `surplus` as in block-code.contract.ts. */
function recoverable(
  scheme: FecScheme,
  surplus: number,
  count: number,
  sent: readonly Sent[],
  isLost: (index: number) => boolean,
): ReadonlySet<number> {
  const have = new Set<number>();
  for (const [index, one] of sent.entries()) if (one.kind === "media" && !isLost(index)) have.add(one.packet.seq);
  const arrived = new Set(have);
  if (scheme.scheme === "red") {
    for (const seq of arrived)
      for (let d = 1; d <= scheme.depth; d++) if (seq - d * (scheme.apart ?? 1) >= 0) have.add(seq - d * (scheme.apart ?? 1));
  }
  // Blocks by counting positions; their repair symbols are the repair packets in the order in which blocks end.
  const repairs = sent.flatMap((one, index) => new Array<boolean>(one.kind === "repair" ? 1 : one.aboard).fill(!isLost(index)));
  const blocks: { members: number[]; end: number; lane: number; left: number }[] = [];
  for (const [lane, { stride, source, repair }] of lanesOf(scheme).entries()) {
    for (let start = 0; start + (source - 1) * stride < count; start += source * stride) {
      for (let j = 0; j < stride && start + j + (source - 1) * stride < count; j++) {
        const members = Array.from({ length: source }, (_, i) => start + j + i * stride);
        blocks.push({ members, end: members.at(-1) as number, lane, left: repair });
      }
    }
  }
  blocks.sort((a, b) => a.end - b.end || a.lane - b.lane);
  let at = 0;
  for (const block of blocks) {
    const own = repairs.slice(at, at + block.left);
    at += block.left;
    block.left = own.filter((here) => here).length;
  }
  for (let changed = true; changed; ) {
    changed = false;
    for (const { members, left } of blocks) {
      const gone = members.filter((seq) => !have.has(seq));
      if (gone.length === 0 || gone.length + surplus > left) continue;
      for (const seq of gone) have.add(seq);
      changed = true;
    }
  }
  for (const seq of arrived) have.delete(seq);
  return have;
}

const patterns = fc.record({
  seed: fc.nat(),
  loss: fc.integer({ min: 0, max: 90 }).map((percent) => percent / 100),
  burst: fc.integer({ min: 1, max: 8 }),
});

/** Loses from the first LENGTH ticks: independent bursts, media and repair alike. */
function losses(
  sent: readonly Sent[],
  { seed, loss, burst }: { seed: number; loss: number; burst: number },
): (index: number) => boolean {
  const draw = new Stream(seed, "losses");
  const gone = new Set<number>();
  for (const [index, { tick }] of sent.entries()) {
    if (tick >= LENGTH || !draw.nextChance(loss / burst)) continue;
    for (let i = 0; i < burst; i++) if ((sent[index + i]?.tick ?? LENGTH) < LENGTH) gone.add(index + i);
  }
  return (index) => gone.has(index);
}

function wantSame(got: SourcePacket, want: SourcePacket | undefined): void {
  const isSame =
    want !== undefined &&
    got.seq === want.seq &&
    got.timestamp === want.timestamp &&
    got.codec === want.codec &&
    got.frames === want.frames &&
    sameBytes(got.payload, want.payload);
  if (!isSame) expect(got).toEqual(want);
}

/** Hands one packet to the receiver, who must find it usable and a media packet what its sender meant; what it gave back. */
function take(recoverer: Recoverer, one: Sent, packets: readonly SourcePacket[]): readonly RecoveredPacket[] {
  if (one.kind === "media") {
    const received = recoverer.source(one.packet);
    if (!received.ok) throw new Error(`media packet ${one.packet.seq} is ${received.reason}`);
    if (received.unusable !== undefined) throw new Error(`repair aboard ${one.packet.seq} is ${received.unusable}`);
    wantSame(received.own, packets[one.tick]);
    return received.recovered;
  }
  const repaired = recoverer.repair(one.payload);
  if (!repaired.ok) throw new Error(`repair packet is ${repaired.reason}`);
  return repaired.recovered;
}

export function schemeContract(scheme: FecScheme, codes: BlockCodes, { surplus }: { readonly surplus: number }): void {
  describe(`forward error correction ${nameOfScheme(scheme)}`, () => {
    it("gives back exactly what its power covers, octet for octet, within the delay it asks for, and nothing wrong", () => {
      let total = 0;
      fc.assert(
        fc.property(patterns, fc.nat(100_000_000), (how, first) => {
          const packets = packetsOf(LENGTH + TAIL, how.seed, first);
          const sent = sentBy(scheme, codes, packets);
          const isLost = losses(sent, how);
          const recoverer = new Recoverer(codes);
          // Numbers on the wire are cut to 24 bits: a call begins at 0, and who joins it later has heard a media packet first.
          for (const packet of packetsOf(1, 0, first - 1)) if (first > 0) recoverer.source(packet);
          const back = new Map<number, number>();
          for (const [index, one] of sent.entries()) {
            if (isLost(index)) continue;
            for (const packet of take(recoverer, one, packets)) {
              const seq = packet.seq - first;
              wantSame(packet, packets[seq]);
              expect(back.has(seq)).toBe(false);
              expect(packet.by).toBe(scheme.scheme);
              back.set(seq, one.tick);
              expect(one.tick - seq).toBeLessThanOrEqual(holdOf(scheme));
              if (holdOf(scheme) > 0) expect(recoverer.hold).toBe(holdOf(scheme) * FRAME_MICROS);
            }
          }
          const renumbered = sent.map(
            (one): Sent => (one.kind === "media" ? { ...one, packet: { ...one.packet, seq: one.packet.seq - first } } : one),
          );
          const must = recoverable(scheme, surplus, LENGTH + TAIL, renumbered, isLost);
          for (const seq of must) expect(back.has(seq), `packet ${seq}`).toBe(true);
          const may = surplus === 0 ? must : recoverable(scheme, 0, LENGTH + TAIL, renumbered, isLost);
          for (const seq of back.keys()) expect(may.has(seq), `packet ${seq}`).toBe(true);
          total += back.size;
        }),
        { seed: 21, numRuns: 80 },
      );
      if (scheme.scheme === "none") expect(total).toBe(0);
      else expect(total).toBeGreaterThan(40);
    });

    it("works the same when packets overtake each other and come twice", () => {
      fc.assert(
        fc.property(patterns, (how) => {
          const packets = packetsOf(LENGTH + TAIL, how.seed);
          const sent = sentBy(scheme, codes, packets);
          const isLost = losses(sent, { ...how, loss: how.loss / 3 });
          const draw = new Stream(how.seed, "order");
          const arriving = sent
            .flatMap((one, index) => (isLost(index) ? [] : draw.nextChance(0.1) ? [one, one] : [one]))
            .map((one) => ({ one, at: one.tick + draw.nextUnit() * 6 }))
            .toSorted((a, b) => a.at - b.at);
          const recoverer = new Recoverer(codes);
          const heard = new Set<number>();
          for (const { one } of arriving) {
            if (one.kind === "media") heard.add(one.packet.seq);
            for (const packet of take(recoverer, one, packets)) {
              wantSame(packet, packets[packet.seq]);
              heard.add(packet.seq);
            }
          }
          for (const seq of recoverable(scheme, surplus, LENGTH + TAIL, sent, isLost)) expect(heard.has(seq)).toBe(true);
        }),
        { seed: 22, numRuns: 40 },
      );
    });

    it("ends what is under way at a gap in time, so that nothing comes back at a wrong time", () => {
      const before = packetsOf(13, 1);
      const after = packetsOf(140, 2, 13).map((packet) => ({ ...packet, timestamp: packet.timestamp + 7 * FRAME_UNIT_SAMPLES }));
      const packets = [...before, ...after];
      const sent = sentBy(scheme, codes, packets);
      const recoverer = new Recoverer(codes);
      let count = 0;
      for (const one of sent) {
        if (one.kind === "media" && one.packet.seq % 9 === 3) continue;
        for (const packet of take(recoverer, one, packets)) {
          wantSame(packet, packets[packet.seq]);
          count++;
        }
      }
      if (scheme.scheme !== "none") expect(count).toBeGreaterThan(5);
    });
  });
}

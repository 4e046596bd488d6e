import fc from "fast-check";
import { expect, test } from "vitest";
import { APPLICATION, type QuicPacket, SEAL } from "./packet.ts";
import { outstandingPacket, remember, settle, startSpace, trim } from "./sent-packets.ts";

const packet = (number: number): QuicPacket => ({
  proto: "quic",
  seal: SEAL,
  space: APPLICATION,
  dcid: 1,
  scid: 0,
  number,
  ackLargest: -1,
  ackSmallest: -1,
  ackMore: undefined,
  ackDelay: 0,
  datagram: undefined,
  frames: undefined,
  sentAt: 0,
  size: 1,
  epoch: 0,
  datagrams: 0,
  eliciting: true,
  next: undefined,
});

test("every outstanding packet is found under its own number and no other, however many numbers went to packets without need of an ACK", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.nat()), { maxLength: 120 }), (steps) => {
      const space = startSpace(true);
      const model = new Set<number>();
      for (const [skipped, pick] of steps) {
        // `skipped` packets that elicit nothing, then one that does; sometimes an old one is settled.
        space.next += skipped;
        if (space.outstanding === 0) space.first = space.next;
        const number = space.next++;
        remember(space, packet(number));
        model.add(number);
        if (pick % 3 === 0) {
          const gone = [...model][pick % model.size] ?? number;
          settle(space, gone);
          model.delete(gone);
          trim(space);
        }
        expect(space.outstanding).toBe(model.size);
        for (let n = space.first; n < space.next; n++)
          expect(outstandingPacket(space, n)?.number).toBe(model.has(n) ? n : undefined);
      }
    }),
    { seed: 3, numRuns: 100 },
  );
});

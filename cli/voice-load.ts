/**
 * The load of many calls, and what becomes of it: packets of voice at an even pace from so many senders, each numbered and timed, whoever carries
 * them. A packet's delay is from when it is given to its socket, sealed and addressed, until the kernel has it for the receiver, so that neither when
 * this process comes to read it nor how late it was in sending is in it; that is told beside it.
 */
import { setTimeout as pause } from "node:timers/promises";
import { Stream } from "../impl/base/random.ts";
import { kernelSockets } from "../impl/io/kernel-socket.ts";
import type { PacedSender, Slot } from "./paced-sender.ts";

/** A packet every 20 ms. */
const PACKETS_PER_SENDER = 50;
/** chosen: 24 kbit/s of Opus in 20 ms with header and tag. */
export const PACKET_BYTES = 88;
/** Octets before ours: the header of a media packet, of which a relay may look at the first two. */
const HEADER = 12;
/** Packets are prepared so long before they leave, microseconds. chosen: what a collection of garbage takes; half of a sender's period, so that its packets keep their order. */
const AHEAD = 10_000;
/** A load that takes so many times as long as it should is given up: whatever it is about, this process cannot make it. */
const TOO_SLOW = 2;
/** The first one leaves so long after the beginning, microseconds. chosen: twice that. */
const LEAD = 20_000;

/** Microsecond of the clock that stamps arrivals. */
const time: () => number = kernelSockets()?.time ?? (() => (performance.timeOrigin + performance.now()) * 1_000);

/** Milliseconds. */
export type Percentiles = { readonly p50: number; readonly p95: number; readonly p99: number; readonly worst: number };

export type Carried = Percentiles & {
  readonly seconds: number;
  readonly sent: number;
  /** ... of which the system took so many not, for want of room in a queue of this process. */
  readonly refused: number;
  readonly received: number;
  /** How much later than at an even pace packets left: the load's own lateness, in no delay. */
  readonly late: Percentiles;
  /** The kernel told when packets arrived; else delays are until this process read them. */
  readonly isStamped: boolean;
};

export type Load = {
  /** Hand in every packet that arrives, with the kernel's stamp of it. */
  arrived(packet: Uint8Array, at: number | undefined): void;
  /** Sends for so long, waits a second for what is under way, and tells. */
  run(seconds: number, signal: AbortSignal): Promise<Carried>;
};

/** `send` has a packet of sender number `sender` put into a slot of `pace`; its array is used again. */
export function voiceLoad(
  senders: number,
  pace: PacedSender,
  send: (sender: number, packet: Uint8Array, slot: Slot) => void,
): Load {
  let sentAt: Float64Array = new Float64Array(0);
  let delays = new Float64Array(0);
  let seen = new Uint8Array(0);
  let [arrivals, unstamped] = [0, 0];
  let [began, interval] = [0, 0];
  // Calls begin when they like: who sends next to whom is nobody's choice, and no party's packets come just before or after its peer's.
  const order = shuffled(senders);
  const packet = new Uint8Array(PACKET_BYTES);
  const number = new DataView(packet.buffer);
  return {
    arrived: (bytes, at) => {
      if (bytes.length < HEADER + 4) return;
      const [a = 0, b = 0, c = 0, d = 0] = [bytes[HEADER], bytes[HEADER + 1], bytes[HEADER + 2], bytes[HEADER + 3]];
      const n = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
      if (n >= seen.length || seen[n] !== 0) return;
      seen[n] = 1;
      if (at === undefined) unstamped++;
      // One that gave its slot to a packet which had to wait left soon after its turn, and nobody wrote down when: its delay is from its turn on.
      const left = sentAt[n] || began + n * interval;
      delays[arrivals++] = ((at ?? time()) - left) / 1_000;
    },
    run: async (seconds, signal) => {
      const perSecond = senders * PACKETS_PER_SENDER;
      const most = Math.round(perSecond * seconds);
      const times = new SharedArrayBuffer(8 * most);
      [sentAt, delays, seen] = [new Float64Array(times), new Float64Array(most), new Uint8Array(most)];
      [arrivals, unstamped] = [0, 0];
      [began, interval] = [time() + LEAD, 1e6 / perSecond];
      pace.begin({ began, interval, count: most, sentAt: times });
      let prepared = 0;
      const limit = began + TOO_SLOW * seconds * 1e6;
      while (prepared < most && !signal.aborted && time() < limit) {
        const due = Math.min(most, pace.room, Math.floor((time() + AHEAD - began) / interval));
        for (; prepared < due; prepared++) {
          number.setUint32(HEADER, prepared);
          const sender = order[prepared % senders] as number;
          pace.prepare((slot) => {
            send(sender, packet, slot);
            // A session whose congestion window is full keeps the packet and sends it when there is room again: that wait is in its delay.
            if (!slot.isTaken) sentAt[prepared] = time();
          });
        }
        await pause(1);
      }
      const refused = await pace.ended(prepared < most);
      const sent = sentAt.findLastIndex((at) => at > 0) + 1;
      const lasted = ((sentAt[sent - 1] ?? began) + interval - began) / 1e6;
      const late = sentAt.slice(0, sent).map((at, n) => (at > 0 ? (at - began - n * interval) / 1_000 : 0));
      await pause(1_000);
      return {
        seconds: lasted,
        sent,
        refused,
        received: arrivals,
        ...percentiles(delays.subarray(0, arrivals)),
        late: percentiles(late),
        isStamped: unstamped === 0,
      };
    },
  };
}

/** Sorts them. */
function percentiles(values: Float64Array): Percentiles {
  const sorted = values.sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), worst: sorted.at(-1) ?? Number.NaN };
}

/** The numbers below `count` in an order that is the same each time. */
function shuffled(count: number): readonly number[] {
  const luck = new Stream(3, "voice-load");
  const all = Array.from({ length: count }, (_, n) => n);
  for (let n = count - 1; n > 0; n--) {
    const other = luck.nextBelow(n + 1);
    [all[n], all[other]] = [all[other] as number, all[n] as number];
  }
  return all;
}

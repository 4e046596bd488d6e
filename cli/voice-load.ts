/**
 * The load of many calls, and what becomes of it: packets of voice at an even pace from so many senders, each numbered and timed, whoever carries
 * them. A packet's delay is from when it is given to its socket (or to the session that seals it) until the kernel has it for the receiver, so that neither when
 * this process comes to read it nor how late it was in sending is in it; that is told beside it.
 */
import { setTimeout as pause } from "node:timers/promises";
import { Stream } from "../impl/base/random.ts";
import { kernelSockets } from "../impl/io/kernel-socket.ts";

/** A packet every 20 ms. */
const PACKETS_PER_SENDER = 50;
/** chosen: 24 kbit/s of Opus in 20 ms with header and tag. */
export const PACKET_BYTES = 88;
/** Octets before ours: the header of a media packet, of which a relay may look at the first two. */
const HEADER = 12;

/** Microsecond of the clock that stamps arrivals. */
const time: () => number = kernelSockets()?.time ?? (() => (performance.timeOrigin + performance.now()) * 1_000);

/** Milliseconds. */
export type Percentiles = { readonly p50: number; readonly p95: number; readonly p99: number; readonly worst: number };

export type Carried = Percentiles & {
  readonly seconds: number;
  readonly sent: number;
  readonly received: number;
  /** How much later than at an even pace this process sent: its own lateness, in no delay. */
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

/** `send` gives a packet to sender number `sender`, whose array is used again; `flush` lets go of what was given. */
export function voiceLoad(senders: number, send: (sender: number, packet: Uint8Array) => void, flush: () => void): Load {
  let [sentAt, delays] = [new Float64Array(0), new Float64Array(0)];
  let seen = new Uint8Array(0);
  let [arrivals, unstamped] = [0, 0];
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
      delays[arrivals++] = ((at ?? time()) - (sentAt[n] ?? 0)) / 1_000;
    },
    run: async (seconds, signal) => {
      const perSecond = senders * PACKETS_PER_SENDER;
      const most = Math.round(perSecond * seconds);
      const late = new Float64Array(most);
      [sentAt, delays, seen] = [new Float64Array(most), new Float64Array(most), new Uint8Array(most)];
      [arrivals, unstamped] = [0, 0];
      const began = time();
      let sent = 0;
      while (sent < most && !signal.aborted) {
        const due = Math.min(most, Math.floor(((time() - began) * perSecond) / 1e6));
        for (; sent < due; sent++) {
          number.setUint32(HEADER, sent);
          const at = time();
          sentAt[sent] = at;
          late[sent] = (at - began) / 1_000 - (sent * 1_000) / perSecond;
          send(order[sent % senders] as number, packet);
          flush();
        }
        await pause(1);
      }
      const lasted = (time() - began) / 1e6;
      await pause(1_000);
      return {
        seconds: lasted,
        sent,
        received: arrivals,
        ...percentiles(delays.subarray(0, arrivals)),
        late: percentiles(late.subarray(0, sent)),
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

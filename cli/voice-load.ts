/**
 * The load of many calls, and what becomes of it: packets of voice at an even pace from so many senders, each numbered and timed, whoever carries
 * them. Delays are this process's own from giving a packet to its socket to having it, so its queues are in them.
 */
import { performance } from "node:perf_hooks";

/** A packet every 20 ms. */
const PACKETS_PER_SENDER = 50;
/** chosen: 24 kbit/s of Opus in 20 ms with header and tag. */
export const PACKET_BYTES = 88;
/** Octets before ours: the header of a media packet, of which a relay may look at the first two. */
const HEADER = 12;

export type Carried = {
  readonly seconds: number;
  readonly sent: number;
  readonly received: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly worst: number;
  /** The most that sending was behind its pace, milliseconds: more than some, and it is this process that is measured. */
  readonly behind: number;
};

export type Load = {
  /** Hand in every packet that arrives. */
  arrived(packet: Uint8Array): void;
  /** Sends for so long, waits a second for what is under way, and tells. */
  run(seconds: number, signal: AbortSignal): Promise<Carried>;
};

/** `send` gives a packet to sender number `sender`; it is the caller's to keep. */
export function voiceLoad(senders: number, send: (sender: number, packet: Uint8Array) => void): Load {
  let sentAt = new Float64Array(0);
  let delays = new Float64Array(0);
  let seen = new Uint8Array(0);
  let arrivals = 0;
  return {
    arrived: (packet) => {
      if (packet.length < HEADER + 4) return;
      const number = new DataView(packet.buffer, packet.byteOffset).getUint32(HEADER);
      if (number >= seen.length || seen[number] !== 0) return;
      seen[number] = 1;
      delays[arrivals++] = performance.now() - (sentAt[number] ?? 0);
    },
    run: async (seconds, signal) => {
      const perSecond = senders * PACKETS_PER_SENDER;
      const most = Math.round(perSecond * seconds);
      [sentAt, delays, seen, arrivals] = [new Float64Array(most), new Float64Array(most), new Uint8Array(most), 0];
      const began = performance.now();
      let [sent, behind] = [0, 0];
      while (sent < most && !signal.aborted) {
        const now = performance.now() - began;
        const due = Math.min(most, Math.floor((now * perSecond) / 1_000));
        behind = Math.max(behind, now - (sent * 1_000) / perSecond);
        for (; sent < due; sent++) {
          const packet = new Uint8Array(PACKET_BYTES);
          new DataView(packet.buffer).setUint32(HEADER, sent);
          sentAt[sent] = performance.now();
          send(sent % senders, packet);
        }
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const lasted = (performance.now() - began) / 1_000;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const sorted = delays.subarray(0, arrivals).sort();
      const at = (share: number): number => sorted[Math.min(arrivals - 1, Math.floor(arrivals * share))] ?? Number.NaN;
      return {
        seconds: lasted,
        sent,
        received: arrivals,
        p50: at(0.5),
        p95: at(0.95),
        p99: at(0.99),
        worst: sorted[arrivals - 1] ?? Number.NaN,
        behind,
      };
    },
  };
}

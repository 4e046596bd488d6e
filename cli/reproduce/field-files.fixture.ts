/** Recordings as files, made of one simulated call whose truth is known: captures in both formats, a dump of chrome://webrtc-internals, a table. */
import { instantsOf, type LogRecord } from "../../impl/base/record.ts";

/** A UDP datagram to be captured. `at` in microseconds. */
export type Datagram = { readonly at: number; readonly isIn: boolean; readonly payload: Uint8Array };

const HERE = [10, 0, 0, 2] as const;
const THERE = [198, 51, 100, 3] as const;

/** What `who` would have seen on its wire: its frames as RTP or as QUIC, acknowledgements between. */
export function datagramsOf(records: readonly LogRecord[], who: string, as: "rtp" | "quic"): Datagram[] {
  const out: Datagram[] = [];
  for (const record of records) {
    if (record.who !== who || (record.ev !== "media-received" && record.ev !== "media-sent")) continue;
    for (const [index, at] of instantsOf(record).entries()) {
      const isIn = record.ev === "media-received";
      out.push({ at, isIn, payload: as === "rtp" ? rtp(record.seq + index, isIn ? 7 : 8) : quic(100) });
      if (as === "quic" && index % 2 === 0) out.push({ at: at + 300, isIn: !isIn, payload: quic(38) });
    }
  }
  return out.sort((a, b) => a.at - b.at);
}

function rtp(seq: number, ssrc: number): Uint8Array {
  const packet = new Uint8Array(72);
  const view = new DataView(packet.buffer);
  packet[0] = 0x80;
  packet[1] = 111;
  // Near the end of its numbers, so that they go round.
  view.setUint16(2, (seq + 65_400) & 0xffff);
  view.setUint32(8, ssrc);
  return packet;
}

const quic = (length: number): Uint8Array => new Uint8Array(length).fill(0x43);

function frame({ isIn, payload }: Datagram): Uint8Array {
  const packet = new Uint8Array(14 + 20 + 8 + payload.length);
  const view = new DataView(packet.buffer);
  view.setUint16(12, 0x0800);
  packet[14] = 0x45;
  packet[14 + 9] = 17;
  packet.set(isIn ? THERE : HERE, 14 + 12);
  packet.set(isIn ? HERE : THERE, 14 + 16);
  view.setUint16(34, isIn ? 4_433 : 50_000);
  view.setUint16(36, isIn ? 50_000 : 4_433);
  view.setUint16(38, 8 + payload.length);
  packet.set(payload, 42);
  return packet;
}

const EPOCH = 1_790_000_000;

/** Classic pcap; `little`: of a little-endian machine. */
export function pcap(datagrams: readonly Datagram[], little: boolean): Uint8Array {
  const head = new DataView(new ArrayBuffer(24));
  head.setUint32(0, 0xa1b2c3d4, little);
  head.setUint16(4, 2, little);
  head.setUint16(6, 4, little);
  head.setUint32(16, 262_144, little);
  head.setUint32(20, 1, little);
  const packets = datagrams.flatMap((one) => {
    const data = frame(one);
    const start = new DataView(new ArrayBuffer(16));
    start.setUint32(0, EPOCH + Math.floor(one.at / 1e6), little);
    start.setUint32(4, one.at % 1e6, little);
    start.setUint32(8, data.length, little);
    start.setUint32(12, data.length, little);
    return [new Uint8Array(start.buffer), data];
  });
  return Buffer.concat([new Uint8Array(head.buffer), ...packets]);
}

/** pcapng with one interface that counts nanoseconds. */
export function pcapng(datagrams: readonly Datagram[]): Uint8Array {
  const block = (type: number, body: Uint8Array): Uint8Array => {
    const padded = Math.ceil(body.length / 4) * 4;
    const out = new Uint8Array(12 + padded);
    const view = new DataView(out.buffer);
    view.setUint32(0, type, true);
    view.setUint32(4, out.length, true);
    out.set(body, 8);
    view.setUint32(8 + padded, out.length, true);
    return out;
  };
  const section = new Uint8Array([0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
  const nanoseconds = [9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0];
  const face = new Uint8Array([1, 0, 0, 0, 0, 0, 4, 0, ...nanoseconds]);
  const packets = datagrams.map((one) => {
    const data = frame(one);
    const body = new Uint8Array(20 + data.length);
    const view = new DataView(body.buffer);
    const t = BigInt(EPOCH) * 1_000_000_000n + BigInt(one.at) * 1_000n;
    view.setUint32(4, Number(t >> 32n), true);
    view.setUint32(8, Number(t & 0xffffffffn), true);
    view.setUint32(12, data.length, true);
    view.setUint32(16, data.length, true);
    body.set(data, 20);
    return block(6, body);
  });
  // A block that nobody here knows stands for all that a capture may hold besides.
  return Buffer.concat([block(0x0a0d0d0a, section), block(1, face), block(0x0bad, new Uint8Array(8)), ...packets]);
}

/** The dump that Chrome makes of a call with one incoming audio stream, sampled once a second from the statistics of `who`. */
export function internalsDump(records: readonly LogRecord[], who: string): string {
  const stats = records.flatMap((record) => (record.ev === "stats" && record.who === who ? [record] : []));
  const when = (at: number): string => new Date(EPOCH * 1_000 + Math.round(at / 1_000)).toISOString();
  const [from, to] = [stats[0]?.t ?? 0, stats.at(-1)?.t ?? 0];
  const series = (statsType: string, values: readonly unknown[]): object => ({
    startTime: when(from),
    endTime: when(to),
    statsType,
    values: JSON.stringify(values),
  });
  const id = "IT01A3508452158";
  const entries = Object.fromEntries(
    (["packetsReceived", "packetsLost", "jitter", "concealedSamples", "totalSamplesReceived"] as const).map((name) => [
      `${id}-${name}`,
      series(
        "inbound-rtp",
        stats.map((one) => one[name]),
      ),
    ]),
  );
  return JSON.stringify({
    getUserMedia: [],
    PeerConnections: {
      "31-2": {
        pid: 31,
        rtcConfiguration: "{ iceServers: [] }",
        stats: {
          ...entries,
          [`${id}-kind`]: series(
            "inbound-rtp",
            stats.map(() => "audio"),
          ),
          [`${id}-timestamp`]: series(
            "inbound-rtp",
            stats.map((one) => EPOCH * 1_000 + one.t / 1_000),
          ),
          "CPabc-currentRoundTripTime": series(
            "candidate-pair",
            stats.map(() => 0.061),
          ),
        },
        updateLog: [{ time: when(from), type: "signalingstatechange", value: "stable" }],
      },
    },
    UserAgent: "Mozilla/5.0",
  });
}

/** Loss and round trip once every `every` microseconds, as the statistics of `who` give them. */
export function table(records: readonly LogRecord[], who: string): string {
  const stats = records.flatMap((record) => (record.ev === "stats" && record.who === who ? [record] : []));
  const lines = stats.slice(1).map((one, i) => {
    const received = one.packetsReceived - (stats[i]?.packetsReceived ?? 0);
    const loss = received === 0 ? 100 : 0;
    return `${(one.t / 1e6).toFixed(3)},61,${loss},${(one.jitter * 1_000).toFixed(2)},x`;
  });
  return `time (s),rtt_ms,loss (%),jitter,comment\n${lines.join("\n")}\n`;
}

/**
 * What a link does to 50 packets a second, as files that other stacks can be fed: a plain list of drops and delays, and an rtpdump of the packets as they arrive
 * (the format of rtptools 1.22, rtpdump.h; libwebrtc's neteq_rtpplay reads it).
 */

/** First line of a list; the rest is a packet a line, `-` for one that is lost, else microseconds on its way. */
const HEADING = "# midcall link trace 1: one packet of 20 ms a line, in order of sending; -: lost, else microseconds on the way";

export const traceText = (delays: Float64Array): string =>
  `${[HEADING, ...Array.from(delays, (delay) => (delay < 0 ? "-" : String(delay)))].join("\n")}\n`;

/** Reads a list back; RangeError naming the line for anything else. */
export function parseTrace(text: string): Float64Array {
  const [heading, ...lines] = text.trimEnd().split("\n");
  if (heading !== HEADING) throw new RangeError(`line 1: want ${HEADING}, got ${heading ?? "nothing"}`);
  return Float64Array.from(lines, (line, i) => {
    if (line === "-") return -1;
    if (!/^\d+$/.test(line)) throw new RangeError(`line ${i + 2}: want - or whole microseconds, got ${line}`);
    return Number(line);
  });
}

/** RFC 3551: dynamic. */
const PAYLOAD_TYPE = 111;
const RTP_HEADER_BYTES = 12;
/** rtptools: RD_hdr_t and RD_packet_t. */
const FILE_HEADER_BYTES = 16;
const RECORD_HEADER_BYTES = 8;
/** chosen: any one does. */
const SSRC = 0x6d69_6463;
const PORT = 5_004;

/** The packets that come, in order of arrival, with RTP headers (RFC 7587: 48 kHz clock). `frameMs`: of each payload. */
export function rtpdump(payloads: readonly Uint8Array[], delays: Float64Array, frameMs = 20): Uint8Array {
  const arrivals = payloads
    .flatMap((payload, seq) => {
      const delay = delays[seq] ?? -1;
      return delay < 0 ? [] : [{ payload, seq, at: (seq + 1) * frameMs + delay / 1_000 }];
    })
    .sort((a, b) => a.at - b.at);
  const magic = Buffer.from(`#!rtpplay1.0 127.0.0.1/${PORT}\n`);
  const size = arrivals.reduce((sum, { payload }) => sum + RECORD_HEADER_BYTES + RTP_HEADER_BYTES + payload.length, 0);
  const out = Buffer.alloc(magic.length + FILE_HEADER_BYTES + size);
  magic.copy(out);
  let at = magic.length;
  // Start: the epoch. Source address and port, padding.
  at = out.writeUInt32BE(0, at);
  at = out.writeUInt32BE(0, at);
  at = out.writeUInt32BE(0x7f00_0001, at);
  at = out.writeUInt16BE(PORT, at);
  at = out.writeUInt16BE(0, at);
  for (const one of arrivals) {
    const length = RTP_HEADER_BYTES + one.payload.length;
    at = out.writeUInt16BE(RECORD_HEADER_BYTES + length, at);
    at = out.writeUInt16BE(length, at);
    at = out.writeUInt32BE(Math.round(one.at), at);
    at = out.writeUInt8(0x80, at);
    at = out.writeUInt8(PAYLOAD_TYPE, at);
    at = out.writeUInt16BE(one.seq % 65_536, at);
    at = out.writeUInt32BE((one.seq * frameMs * 48) % 2 ** 32, at);
    at = out.writeUInt32BE(SSRC, at);
    out.set(one.payload, at);
    at += one.payload.length;
  }
  return out;
}

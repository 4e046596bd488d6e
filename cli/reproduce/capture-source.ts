/**
 * A packet capture as a recording: the UDP flow with the most packets, seen from one of its ends. Nothing is decrypted. The peer's frames are told by
 * what can be seen of a packet: RTP carries its number in the clear (RFC 3550 section 5.1); of QUIC, and anything else, the size is all there is, and
 * acknowledgements are smaller than media.
 */
import { usage } from "../exit.ts";
import type { FieldEvent, FieldSource, Sign } from "./field-event.ts";
import { type CapturedDatagram, type CaptureFacts, datagramsOf } from "./packet-capture.ts";

/** Flows told apart at most; a capture with more is of something else. */
const FLOWS = 10_000;
/** Packets whose sizes and heads decide what the flow is. chosen: 20 s of a call. */
const SAMPLE = 1_000;
/** A frame of audio is at least this share of the ordinary ones; what is smaller is an acknowledgement, a keepalive or a probe. */
const SMALL = 0.6;
/** A packet this much larger than the ordinary ones is a handshake's. chosen: 1,200 octets against 100. */
const LARGE = 5;

type Flow = { packets: number; readonly ends: readonly [string, string]; readonly first: string };
type Kind = "rtp" | "quic" | "other";
type Known = {
  readonly remote: string;
  readonly kind: Kind;
  readonly ssrc: number;
  readonly least: number;
  readonly most: number;
};

/** Opens the capture at `path`; `word` is what the user called it; `local`: the address (no port) of the end that is to be looked from. */
export async function captureSource(path: string, word: string, local: string | undefined): Promise<FieldSource> {
  const facts: CaptureFacts = { packets: 0, others: 0, problem: undefined };
  const flow = await busiestFlow(path, word, facts);
  const [mine, remote] = endsOf(flow, word, local);
  const known = await look(path, remote);
  if (known === undefined)
    throw usage(`${word}: nothing came from ${remote} to ${mine}`, "want a capture of both directions, or another --local");
  const remarks = [
    ...(facts.problem === undefined ? [] : [`the capture ends early: ${facts.problem}`]),
    ...(facts.others === 0 ? [] : [`${facts.others} of ${facts.packets} packets are no UDP and were left out`]),
    known.kind === "rtp"
      ? "RTP: frames are told by their sequence numbers"
      : `${known.kind === "quic" ? "QUIC" : "no known protocol"}: packets of ${known.least} to ${known.most} octets are taken for frames of audio`,
  ];
  return {
    format: "capture",
    view: `from ${remote} to ${mine}, ${flow.packets} packets both ways`,
    remarks,
    events: () => eventsOf(path, known),
  };
}

async function busiestFlow(path: string, word: string, facts: CaptureFacts): Promise<Flow> {
  const flows = new Map<string, Flow>();
  for await (const { from, to } of datagramsOf(path, facts)) {
    const ends = from < to ? ([from, to] as const) : ([to, from] as const);
    const flow = flows.get(ends.join(" "));
    if (flow !== undefined) flow.packets++;
    else if (flows.size < FLOWS) flows.set(ends.join(" "), { packets: 1, ends, first: from });
  }
  const busiest = [...flows.values()].toSorted((a, b) => b.packets - a.packets)[0];
  if (busiest === undefined) {
    const why = facts.problem ?? `${facts.packets} packets, none of them UDP`;
    throw usage(`${word}: no UDP flow in it (${why})`, "want a capture of the call's packets, like: tcpdump -w call.pcap udp");
  }
  return busiest;
}

/** Our end and the other one. */
function endsOf({ ends, first }: Flow, word: string, local: string | undefined): readonly [string, string] {
  const [a, b] = ends;
  if (local !== undefined) {
    if (hostOf(a) === local) return [a, b];
    if (hostOf(b) === local) return [b, a];
    throw usage(`--local ${local}: the busiest flow of ${word} is between ${a} and ${b}`, `want ${hostOf(a)} or ${hostOf(b)}`);
  }
  if (isPrivate(a) !== isPrivate(b)) return isPrivate(a) ? [a, b] : [b, a];
  // A client speaks first.
  return first === a ? [a, b] : [b, a];
}

const hostOf = (end: string): string => end.slice(0, end.lastIndexOf(":")).replace(/^\[|\]$/g, "");
/** RFC 1918, RFC 6598, RFC 4193. */
const isPrivate = (end: string): boolean =>
  /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|\[f[cd])/.test(end);

/** What the packets of `remote` are, by the first of them; undefined when there are none. */
async function look(path: string, remote: string): Promise<Known | undefined> {
  const sizes: number[] = [];
  const sources = new Map<number, number>();
  let quic = 0;
  for await (const { from, length, data } of datagramsOf(path, { packets: 0, others: 0, problem: undefined })) {
    if (from !== remote) continue;
    sizes.push(length);
    const ssrc = rtpSource(data);
    if (ssrc !== undefined) sources.set(ssrc, (sources.get(ssrc) ?? 0) + 1);
    if (((data[0] ?? 0) & 0xc0) === 0x40 || ((data[0] ?? 0) & 0xc0) === 0xc0) quic++;
    if (sizes.length === SAMPLE) break;
  }
  if (sizes.length === 0) return undefined;
  const [ssrc, most] = [...sources].toSorted((a, b) => b[1] - a[1])[0] ?? [0, 0];
  const sorted = sizes.toSorted((a, b) => a - b);
  const ordinary = sorted[Math.floor(sorted.length * 0.75)] as number;
  const kind: Kind = most > sizes.length / 2 ? "rtp" : quic > sizes.length / 2 ? "quic" : "other";
  return { remote, kind, ssrc, least: Math.ceil(ordinary * SMALL), most: ordinary * LARGE };
}

/** The SSRC of what looks like RTP (version 2, no RTCP packet type); undefined otherwise. */
function rtpSource(data: Uint8Array): number | undefined {
  if (data.length < 12 || ((data[0] ?? 0) & 0xc0) !== 0x80) return undefined;
  const type = (data[1] ?? 0) & 0x7f;
  if (type >= 64 && type < 96) return undefined; // RTCP (RFC 5761 section 4)
  return new DataView(data.buffer, data.byteOffset).getUint32(8);
}

async function* eventsOf(path: string, known: Known): AsyncGenerator<FieldEvent> {
  const asked = new Map<string, number>();
  let mine: string | undefined;
  let seq = 0;
  let start: number | undefined;
  for await (const packet of datagramsOf(path, { packets: 0, others: 0, problem: undefined })) {
    const isIn = packet.from === known.remote;
    if (!isIn && packet.to !== known.remote) continue;
    start ??= packet.t;
    const t = packet.t - start;
    const end = isIn ? packet.to : packet.from;
    // Only our own packets tell where we are: late ones to an old address do not move us back.
    if (!isIn && mine !== undefined && end !== mine) yield { what: "sign", t, sign: "address" };
    if (!isIn) mine = end;
    const sample = roundTripOf(packet, isIn, t, asked);
    if (sample !== undefined) yield sample;
    if (!isIn) {
      if (isInitial(packet)) yield sign(t, "connecting");
      continue;
    }
    yield sign(t, "packet");
    if (known.kind === "rtp") {
      if (rtpSource(packet.data) !== known.ssrc) continue;
      // Unwrapped to the nearest: 16 bits go round every 22 minutes.
      const number = ((packet.data[2] ?? 0) << 8) | (packet.data[3] ?? 0);
      seq += ((number - seq + 0x18000) & 0xffff) - 0x8000;
      yield { what: "frame", t, seq };
    } else if (packet.length >= known.least && packet.length <= known.most && !isLong(packet))
      yield { what: "frame", t, seq: undefined };
  }
}

const sign = (t: number, what: Sign): FieldEvent => ({ what: "sign", t, sign: what });

/** A QUIC packet with a long header: a handshake's (RFC 9000 section 17.2). */
const isLong = ({ data }: CapturedDatagram): boolean => ((data[0] ?? 0) & 0xc0) === 0xc0;
/** A client's first flight: a long header of type Initial, version 1. */
const isInitial = (packet: CapturedDatagram): boolean =>
  isLong(packet) && ((packet.data[0] ?? 0) & 0x30) === 0 && packet.length >= 1_200;

/** STUN questions of ours and their answers, by transaction (RFC 8489 section 5). */
function roundTripOf({ data }: CapturedDatagram, isIn: boolean, t: number, asked: Map<string, number>): FieldEvent | undefined {
  if (data.length < 20 || data[4] !== 0x21 || data[5] !== 0x12 || data[6] !== 0xa4 || data[7] !== 0x42) return undefined;
  const transaction = data.subarray(8, 20).join(",");
  if (!isIn) {
    if (asked.size < FLOWS) asked.set(transaction, t);
    return undefined;
  }
  const at = asked.get(transaction);
  asked.delete(transaction);
  return at === undefined ? undefined : { what: "sample", t, until: t, roundTrip: t - at };
}

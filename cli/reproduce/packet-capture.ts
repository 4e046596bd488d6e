/**
 * Reads packet captures as a stream: classic pcap (micro- and nanosecond, either byte order) and pcapng, and of their packets IPv4 and IPv6 with UDP.
 * Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng, the link types of tcpdump.org/linktypes.html. Left out on purpose: reassembly of fragments,
 * compressed files, encrypted blocks. No package in the npm registry streams both formats.
 */
import { createReadStream } from "node:fs";

/** A UDP datagram. `t` in microseconds since 1970; `data`: as much of its payload as was captured, at most PEEK octets. */
export type CapturedDatagram = {
  readonly t: number;
  /** `192.0.2.1:4433` or `[2001:db8::1]:4433`. */
  readonly from: string;
  readonly to: string;
  readonly length: number;
  readonly data: Uint8Array;
};

/** What a capture had besides datagrams. `problem`: where and why reading ended before the end. */
export type CaptureFacts = { packets: number; others: number; problem: string | undefined };

/** Octets of a payload that are looked at. */
const PEEK = 64;
/** No packet is longer; a length beyond it is nonsense. tcpdump's largest snapshot length. */
const LONGEST = 262_144;

/** How the first octets of a file name its format; undefined: it is no capture. */
export function captureFormat(head: Uint8Array): "pcap" | "pcapng" | undefined {
  if (head.length < 4) return undefined;
  const magic = new DataView(head.buffer, head.byteOffset, head.byteLength).getUint32(0);
  if (magic === 0x0a0d0d0a) return "pcapng";
  return PCAP_MAGIC.has(magic) ? "pcap" : undefined;
}

/** Magic number as read big-endian -> whether the file is little-endian, and its units a second. */
const PCAP_MAGIC: ReadonlyMap<number, { readonly little: boolean; readonly perSecond: number }> = new Map([
  [0xa1b2c3d4, { little: false, perSecond: 1e6 }],
  [0xd4c3b2a1, { little: true, perSecond: 1e6 }],
  [0xa1b23c4d, { little: false, perSecond: 1e9 }],
  [0x4d3cb2a1, { little: true, perSecond: 1e9 }],
]);

/** The datagrams of the capture at `path`, in its order. `facts` is filled while it is read. Rejects only when the file cannot be read. */
export async function* datagramsOf(path: string, facts: CaptureFacts): AsyncGenerator<CapturedDatagram> {
  const bytes = octets(path);
  if (!(await bytes.ready(4))) {
    facts.problem = "it is shorter than 4 octets";
    return;
  }
  const magic = bytes.take(4);
  const packets = captureFormat(magic) === "pcapng" ? pcapng(bytes, facts) : pcap(bytes, magic, facts);
  for await (const { t, linkType, data, original } of packets) {
    facts.packets++;
    const datagram = decode(linkType, data, original);
    if (datagram === undefined) facts.others++;
    else yield { t, ...datagram };
  }
}

type Packet = { readonly t: number; readonly linkType: number; readonly data: Uint8Array; readonly original: number };

async function* pcap(bytes: Octets, magic: Uint8Array, facts: CaptureFacts): AsyncGenerator<Packet> {
  const form = PCAP_MAGIC.get(view(magic).getUint32(0));
  if (form === undefined || !(await bytes.ready(20))) {
    facts.problem = "its head is cut short";
    return;
  }
  const { little, perSecond } = form;
  const linkType = view(bytes.take(20)).getUint32(16, little) & 0xffff;
  for (;;) {
    const at = bytes.position;
    const start = bytes.ready(16);
    if (!(start === true || (await start))) {
      if (bytes.left > 0) facts.problem = `the packet at octet ${at} is cut short`;
      return;
    }
    const fields = view(bytes.take(16));
    const [captured, original] = [fields.getUint32(8, little), fields.getUint32(12, little)];
    if (captured > LONGEST || original === 0) {
      facts.problem = `the packet at octet ${at} claims ${captured} octets`;
      return;
    }
    const whole = bytes.ready(captured);
    if (!(whole === true || (await whole))) {
      facts.problem = `the packet at octet ${at} is cut short`;
      return;
    }
    const t = fields.getUint32(0, little) * 1e6 + Math.round((fields.getUint32(4, little) * 1e6) / perSecond);
    yield { t, linkType, data: bytes.take(captured), original };
  }
}

/** Block types of pcapng. */
const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
const SIMPLE = 3;
const ENHANCED = 6;

async function* pcapng(bytes: Octets, facts: CaptureFacts): AsyncGenerator<Packet> {
  let little = false;
  let interfaces: { readonly linkType: number; readonly perSecond: number }[] = [];
  let type: number = SECTION;
  for (;;) {
    const at = bytes.position - 4;
    // A section tells its byte order before the length can be read.
    const head = type === SECTION ? 8 : 4;
    if (!(await bytes.ready(head))) {
      facts.problem = `the block at octet ${at} is cut short`;
      return;
    }
    const start = view(bytes.take(head));
    if (type === SECTION) {
      little = start.getUint32(4) === 0x4d3c2b1a;
      interfaces = [];
    }
    const length = start.getUint32(0, little);
    const rest = length - 8 - head;
    if (length % 4 !== 0 || rest < 0 || length > 4 * LONGEST) {
      facts.problem = `the block at octet ${at} claims ${length} octets`;
      return;
    }
    if (!(await bytes.ready(rest + 4))) {
      facts.problem = `the block at octet ${at} is cut short`;
      return;
    }
    const body = bytes.take(rest);
    bytes.take(4);
    const fields = view(body);
    if (type === INTERFACE && rest >= 8)
      interfaces.push({ linkType: fields.getUint16(0, little), perSecond: resolutionOf(body, little) });
    else if (type === ENHANCED && rest >= 20) {
      const from = interfaces[fields.getUint32(0, little)];
      const captured = fields.getUint32(12, little);
      if (from === undefined || captured > rest - 20) {
        facts.problem = `the packet at octet ${at} names interface ${fields.getUint32(0, little)} or a length that is not there`;
        return;
      }
      const units = fields.getUint32(4, little) * 2 ** 32 + fields.getUint32(8, little);
      const t = Math.round((units / from.perSecond) * 1e6);
      yield { t, linkType: from.linkType, data: body.subarray(20, 20 + captured), original: fields.getUint32(16, little) };
    } else if (type === SIMPLE) facts.others++; // has no time
    if (!(await bytes.ready(4))) {
      if (bytes.left > 0) facts.problem = `the block at octet ${bytes.position} is cut short`;
      return;
    }
    const next = view(bytes.take(4));
    type = next.getUint32(0) === SECTION ? SECTION : next.getUint32(0, little);
  }
}

/** Option if_tsresol (9) of an interface: units a second; a million without it. */
function resolutionOf(body: Uint8Array, little: boolean): number {
  const fields = view(body);
  for (let at = 8; at + 4 <= body.length; ) {
    const [code, length] = [fields.getUint16(at, little), fields.getUint16(at + 2, little)];
    if (code === 0) break;
    if (code === 9 && length >= 1 && at + 4 < body.length) {
      const value = body[at + 4] as number;
      return (value & 0x80) === 0 ? 10 ** value : 2 ** (value & 0x7f);
    }
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return 1e6;
}

type Datagram = Omit<CapturedDatagram, "t">;

/** Octets before the network protocol's number, or the IP version's place, by link type. */
function decode(linkType: number, data: Uint8Array, original: number): Datagram | undefined {
  const missing = original - data.length;
  switch (linkType) {
    case 1: {
      let at = 12;
      // VLAN tags: IEEE 802.1Q and 802.1ad, two at most.
      while ((short(data, at) === 0x8100 || short(data, at) === 0x88a8) && at < 20) at += 4;
      const ethertype = short(data, at);
      return ethertype === 0x0800 || ethertype === 0x86dd ? ip(data.subarray(at + 2), missing) : undefined;
    }
    case 113:
      return ip(data.subarray(16), missing);
    case 276:
      return ip(data.subarray(20), missing);
    case 0:
    case 108:
      return ip(data.subarray(4), missing);
    case 12:
    case 101:
    case 228:
    case 229:
      return ip(data, missing);
    default:
      return undefined;
  }
}

const UDP = 17;

function ip(data: Uint8Array, missing: number): Datagram | undefined {
  const version = (data[0] ?? 0) >> 4;
  if (version === 4 && data.length >= 20) {
    const header = ((data[0] as number) & 15) * 4;
    // Fragments after the first have no ports.
    if (data[9] !== UDP || (short(data, 6) & 0x1fff) !== 0) return undefined;
    const name = (at: number): string => data.subarray(at, at + 4).join(".");
    return udp(data.subarray(header), name(12), name(16), missing);
  }
  if (version === 6 && data.length >= 40 && data[6] === UDP) {
    const name = (at: number): string =>
      `[${Array.from({ length: 8 }, (_, i) => short(data, at + 2 * i).toString(16)).join(":")}]`;
    return udp(data.subarray(40), name(8), name(24), missing);
  }
  return undefined;
}

function udp(data: Uint8Array, from: string, to: string, missing: number): Datagram | undefined {
  if (data.length < 8) return undefined;
  const length = short(data, 4) - 8;
  if (length < 0 || length > data.length - 8 + Math.max(0, missing)) return undefined;
  return {
    from: `${from}:${short(data, 0)}`,
    to: `${to}:${short(data, 2)}`,
    length,
    data: data.slice(8, 8 + Math.min(length, PEEK)),
  };
}

const view = (data: Uint8Array): DataView => new DataView(data.buffer, data.byteOffset, data.byteLength);
const short = (data: Uint8Array, at: number): number => ((data[at] ?? 0) << 8) | (data[at + 1] ?? 0);

type Octets = {
  /** Makes the next `n` octets ready to be taken; false when the file has fewer left (`left` of them). Waits at the edges of pieces only. */
  ready(n: number): boolean | Promise<boolean>;
  /** The next `n` octets, which are ready. */
  take(n: number): Uint8Array;
  readonly position: number;
  readonly left: number;
};

/** A file read in pieces, however long it is. */
function octets(path: string): Octets {
  const pieces = createReadStream(path, { highWaterMark: 1 << 18 })[Symbol.asyncIterator]();
  let held: Uint8Array = new Uint8Array(0);
  let position = 0;
  const fill = async (n: number): Promise<boolean> => {
    while (held.length < n) {
      const next = await pieces.next();
      if (next.done === true) return false;
      held = held.length === 0 ? (next.value as Uint8Array) : Buffer.concat([held, next.value as Uint8Array]);
    }
    return true;
  };
  return {
    ready: (n) => held.length >= n || fill(n),
    take(n) {
      const taken = held.subarray(0, n);
      held = held.subarray(n);
      position += n;
      return taken;
    },
    get position() {
      return position;
    },
    get left() {
      return held.length;
    },
  };
}

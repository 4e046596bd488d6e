/**
 * Captures of packets as pcapng, the format of Wireshark and tshark: one section, one interface, and a block for each packet with its direction.
 * Instants are those of the run: 1970-01-01 00:00:00 is its start, so that captures of one scenario in two laboratories lie over each other.
 * Source: draft-ietf-opsawg-pcapng sections 3 and 4. Left out on purpose: name resolution, statistics, decryption secrets, several interfaces in one file.
 */

/** What a packet's octets begin with: an Ethernet header, or that of IP, which tells its version. Values of LINKTYPE (tcpdump.org/linktypes.html). */
export type Framing = "ethernet" | "ip";
const LINKTYPE: Readonly<Record<Framing, number>> = { ethernet: 1, ip: 101 };

export type CapturedPacket = {
  /** Microseconds since the run began, a whole number >= 0. */
  readonly at: number;
  /** `up`: sent by the interface; `down`: received. */
  readonly way: "up" | "down";
  /** Octets as far as they were kept; not altered. */
  readonly octets: Uint8Array;
  /** Octets there were: at least as many. */
  readonly length: number;
  /** For a reader; undefined: none. */
  readonly comment?: string;
};

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Octets of a section whose length nobody knows yet. */
const UNKNOWN = 0xffff_ffff;

const OPTION = { end: 0, comment: 1, name: 2, direction: 2, application: 4, resolution: 9 } as const;
/** if_tsresol: instants count 10^-6 s. */
const MICROSECONDS = 6;
/** epb_flags, bits 0 and 1. */
const DIRECTION = { down: 1, up: 2 } as const;

/** The beginning of a file: the section and the interface called `name`. `application` says who captured. */
export function captureHead(framing: Framing, name: string, application: string): Uint8Array {
  const section = block(SECTION_HEADER, words(BYTE_ORDER_MAGIC, 0x0000_0001, UNKNOWN, UNKNOWN), [
    [OPTION.application, text(application)],
  ]);
  // The second word is the snapshot length: no limit.
  const description = block(INTERFACE_DESCRIPTION, words(LINKTYPE[framing], 0), [
    [OPTION.name, text(name)],
    [OPTION.resolution, Uint8Array.of(MICROSECONDS)],
  ]);
  return joined([section, description]);
}

/** One packet of that interface. */
export function packetBlock({ at, way, octets, length, comment }: CapturedPacket): Uint8Array {
  const head = words(0, Math.floor(at / 0x1_0000_0000), at % 0x1_0000_0000, octets.length, length);
  return block(ENHANCED_PACKET, joined([head, padded(octets)]), [
    ...(comment === undefined ? [] : [[OPTION.comment, text(comment)] as const]),
    [OPTION.direction, words(DIRECTION[way])],
  ]);
}

type Option = readonly [code: number, value: Uint8Array];

/** A block: its type and length around its body and options, and the length again. */
function block(type: number, body: Uint8Array, options: readonly Option[]): Uint8Array {
  const listed = [...options, [OPTION.end, new Uint8Array()] as const].map(([code, value]) =>
    joined([halves(code, value.length), padded(value)]),
  );
  const inner = joined([body, ...listed]);
  const total = inner.length + 12;
  return joined([words(type, total), inner, words(total)]);
}

/** Longest text of an option, octets; its length has 16 bits. */
const LONGEST = 1_000;
const text = (value: string): Uint8Array => new TextEncoder().encode(value.slice(0, LONGEST));

/** 32-bit words, the least octet first, as the magic number says. */
function words(...values: readonly number[]): Uint8Array {
  const out = new DataView(new ArrayBuffer(4 * values.length));
  for (const [index, value] of values.entries()) out.setUint32(4 * index, value, true);
  return new Uint8Array(out.buffer);
}

const halves = (low: number, high: number): Uint8Array => words(low + high * 0x1_0000);

/** To a multiple of four octets, with zeros. */
function padded(octets: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil(octets.length / 4) * 4);
  out.set(octets);
  return out;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

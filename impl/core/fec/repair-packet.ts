/**
 * What a packet of kind `parity` carries once it is opened: which packets a repair symbol covers, and the symbol. It is sealed with a key and
 * counter of its own (impl/core/media-stream.ts), so repair neither uses up packet numbers of media nor breaks their runs.
 *
 *     code | hold | source | stride | index | cccc ffff | first packet number, low 24 bits | its time in 20 ms, low 24 bits | symbol
 *
 * `hold` is how many packet times the sender's scheme needs (scheme.ts), cccc ffff the codec and frames of every packet covered, as in octet 2
 * of a full header. Covered are the packets first, first + stride, ... `source` of them, whose timestamps advance without a gap.
 */
import { ByteReader, putUint } from "../../base/cursor.ts";
import { MAX_SPAN } from "../../base/fec-scheme.ts";
import { freshOctets } from "../../base/octet-slab.ts";
import { codecOctet, isCodec } from "../../wire/media-header.ts";
import { BLOCK_CODES, type BlockCodeName } from "./block-code.ts";

export type RepairPacket = {
  readonly code: BlockCodeName;
  /** Packet times, 0..255. */
  readonly hold: number;
  /** Packets covered, 1..MAX_SPAN. */
  readonly source: number;
  /** Distance between them, 1..MAX_SPAN. */
  readonly stride: number;
  /** Which repair symbol of its block, 0..MAX_SPAN-1. */
  readonly index: number;
  readonly codec: number;
  readonly frames: number;
  /** Packet number of the first one, modulo 2^24: 93 hours at 50 packets a second. */
  readonly first24: number;
  /** Its timestamp in units of 20 ms, modulo 2^24. */
  readonly time24: number;
  readonly symbol: Uint8Array;
};

/** 2^24. */
export const REPAIR_MODULUS = 16_777_216;
const HEADER_BYTES = 12;

/** The octets of a repair packet, before sealing. The caller guarantees ranges. */
export function putRepairPacket(packet: RepairPacket): Uint8Array {
  const bytes = freshOctets(HEADER_BYTES + packet.symbol.length);
  bytes[0] = BLOCK_CODES.indexOf(packet.code);
  bytes[1] = packet.hold;
  bytes[2] = packet.source;
  bytes[3] = packet.stride;
  bytes[4] = packet.index;
  bytes[5] = codecOctet(packet.codec, packet.frames);
  putUint(bytes, 6, 3, packet.first24);
  putUint(bytes, 9, 3, packet.time24);
  bytes.set(packet.symbol, HEADER_BYTES);
  return bytes;
}

/** Undefined for anything that is not a repair packet as drawn above. Never throws; `symbol` is a view. */
export function parseRepairPacket(bytes: Uint8Array): RepairPacket | undefined {
  const reader = new ByteReader(bytes);
  const code = BLOCK_CODES[reader.uint(1)];
  const [hold, source, stride, index, coding] = [reader.uint(1), reader.uint(1), reader.uint(1), reader.uint(1), reader.uint(1)];
  const [first24, time24] = [reader.uint(3), reader.uint(3)];
  const symbol = reader.rest();
  const [codec, frames] = [coding >> 4, (coding & 15) + 1];
  if (reader.bad || code === undefined || symbol.length === 0 || !isCodec(codec)) return undefined;
  if (source < 1 || stride < 1 || (source - 1) * stride >= MAX_SPAN || index >= MAX_SPAN) return undefined;
  return { code, hold, source, stride, index, codec, frames, first24, time24, symbol };
}

/**
 * The receiver's side of forward error correction: takes every media and repair packet once it is opened and gives back the ones that were
 * lost. It understands every scheme and is told none: packets say what they cover. All it takes is authentic, so what does not fit
 * together is a peer's mistake: counted, dropped, never an exception. Memory is bounded whatever comes.
 */

import type { FecName } from "../../base/fec-scheme.ts";
import type { Micros } from "../../base/units.ts";
import { CODEC_LADEN, CODEC_REDUNDANT, CODEC_SLIDING, FRAME_UNIT_SAMPLES, isCodec } from "../../wire/media-header.ts";
import { FRAME_MICROS } from "../codec.ts";
import { wholeNumber } from "../packet-number.ts";
import type { BlockCode, BlockCodes } from "./block-code.ts";
import { parseLadenPayload } from "./laden-payload.ts";
import { parseRedundantPayload } from "./redundant-payload.ts";
import { parseRepairPacket, REPAIR_MODULUS, type RepairPacket } from "./repair-packet.ts";
import { SlidingDecoder } from "./sliding-decoder.ts";
import { parseSlidingPayload } from "./sliding-payload.ts";
import { payloadOf, type SourcePacket, symbolLength, symbolOf } from "./source-packet.ts";

export type RecoveredPacket = SourcePacket & { readonly by: FecName };

/** `own` is the packet as its sender meant it, `recovered` earlier ones that had not come. */
export type Received = {
  readonly ok: true;
  readonly own: SourcePacket;
  readonly recovered: readonly RecoveredPacket[] /** Why repair that came aboard was of no use. */;
  readonly unusable?: Unusable["reason"];
};
export type Repaired = { readonly ok: true; readonly recovered: readonly RecoveredPacket[] };
/** Not what it claims to be, or of a code this party does not have. */
export type Unusable = { readonly ok: false; readonly reason: "malformed" | "unknown-type" };

/** Packets remembered. chosen: 10 s at 20 ms, many times the longest block and the longest playout delay. A power of two. */
const REMEMBERED = 512;
const MASK = REMEMBERED - 1;
/** Incomplete blocks kept. chosen: as many as one span can have of columns and rows together. */
const MAX_BLOCKS = 128;
/** Media packets after which a scheme that is no longer heard of is not waited for. chosen: 5 s of media that came, at 20 ms. */
const FORGET_AFTER = 250;

/** What a repair packet asks to be true of the packets it covers. */
type Block = {
  readonly code: BlockCode;
  readonly first: number;
  readonly timestamp: number;
  readonly about: RepairPacket;
  readonly repair: Map<number, Uint8Array>;
};

const MALFORMED: Unusable = { ok: false, reason: "malformed" };
const UNKNOWN: Unusable = { ok: false, reason: "unknown-type" };
const NOTHING: readonly RecoveredPacket[] = [];

export class Recoverer {
  readonly #codes: BlockCodes;
  readonly #known: (SourcePacket | undefined)[] = new Array<SourcePacket | undefined>(REMEMBERED).fill(undefined);
  readonly #blocks = new Map<string, Block>();
  readonly #window: SlidingDecoder = new SlidingDecoder((seq) => this.#at(seq));
  #newest = -1;
  #newestTime = -1;
  #hold = 0;
  /** Media packets since a scheme asked for `#hold`. */
  #since = 0;

  /** `codes`: those whose repair packets are of use here. */
  constructor(codes: BlockCodes) {
    this.#codes = codes;
  }

  /** How much longer than jitter asks for frames must be held so that the schemes lately heard can do their work. */
  get hold(): Micros {
    return (this.#since > FORGET_AFTER ? 0 : this.#hold) as Micros;
  }

  /** Such a scheme is announced: frames are held for it until it is clear that it does not come. */
  expect(hold: Micros): void {
    if (hold > this.#hold) this.#hold = hold;
    this.#since = 0;
  }

  /** Incomplete blocks held; never above a fixed bound. */
  get pending(): number {
    return this.#blocks.size;
  }

  /** As `pending`, of sliding windows: packets looked for and equations about them. */
  get window(): SlidingDecoder["pending"] {
    return this.#window.pending;
  }

  /** Takes an opened media packet. */
  source(packet: SourcePacket): Received | Unusable {
    const received = this.#read(packet);
    if (!received.ok || this.#window.pending.packets === 0) return received;
    const { own, recovered } = received;
    const more = [own, ...recovered].flatMap((one) => this.#slid(this.#window.learned(one)));
    return more.length === 0 ? received : { ...received, recovered: [...recovered, ...more] };
  }

  #read(packet: SourcePacket): Received | Unusable {
    this.#since++;
    if (packet.codec === CODEC_SLIDING) return this.#sliding(packet);
    if (packet.codec === CODEC_LADEN) return this.#laden(packet);
    if (packet.codec !== CODEC_REDUNDANT) {
      this.#learn(packet);
      return { ok: true, own: packet, recovered: this.#blocks.size === 0 ? NOTHING : this.#settle([packet.seq]) };
    }
    const parsed = parseRedundantPayload(packet.payload);
    if (parsed === undefined || !isCodec(parsed.codec)) return MALFORMED;
    const own: SourcePacket = { ...packet, codec: parsed.codec, payload: parsed.payload };
    this.#learn(own);
    this.#demand(parsed.depth, own.frames);
    const recovered: RecoveredPacket[] = [];
    for (const { distance, payload } of parsed.copies) {
      const seq = packet.seq - distance;
      const timestamp = packet.timestamp - distance * packet.frames * FRAME_UNIT_SAMPLES;
      if (seq < 0 || timestamp < 0 || !this.#isWanted(seq)) continue;
      const copy: RecoveredPacket = { ...own, seq, timestamp, payload, by: "red" };
      this.#learn(copy);
      recovered.push(copy);
    }
    if (this.#blocks.size > 0) recovered.push(...this.#settle([own.seq, ...recovered.map((one) => one.seq)]));
    return { ok: true, own, recovered };
  }

  #sliding(packet: SourcePacket): Received | Unusable {
    const parsed = parseSlidingPayload(packet.payload);
    if (parsed === undefined || !isCodec(parsed.codec)) return MALFORMED;
    const own: SourcePacket = { ...packet, codec: parsed.codec, payload: parsed.payload };
    this.#learn(own);
    this.#demand(parsed.window, own.frames);
    const settled = this.#blocks.size === 0 ? NOTHING : this.#settle([own.seq]);
    const found = this.#window.repair(own, parsed);
    if (found === undefined) return { ok: true, own, recovered: settled, unusable: "malformed" };
    return { ok: true, own, recovered: found.length === 0 ? settled : [...settled, ...this.#slid(found)] };
  }

  /** What the sliding window gave back, as far as it is still wanted. */
  #slid(found: readonly SourcePacket[]): readonly RecoveredPacket[] {
    return found.flatMap((one): RecoveredPacket[] => {
      if (!this.#isWanted(one.seq)) return [];
      this.#learn(one);
      return [{ ...one, by: "rlc" }];
    });
  }

  #laden(packet: SourcePacket): Received | Unusable {
    const parsed = parseLadenPayload(packet.payload);
    if (parsed === undefined || !isCodec(parsed.codec)) return MALFORMED;
    const own: SourcePacket = { ...packet, codec: parsed.codec, payload: parsed.payload };
    this.#learn(own);
    const recovered: RecoveredPacket[] = this.#blocks.size === 0 ? [] : [...this.#settle([own.seq])];
    let unusable: Unusable["reason"] | undefined;
    for (const piece of parsed.pieces) {
      const repaired = this.repair(piece);
      if (repaired.ok) recovered.push(...repaired.recovered);
      else unusable = repaired.reason;
    }
    return { ok: true, own, recovered, ...(unusable === undefined ? {} : { unusable }) };
  }

  /** Takes the contents of an opened repair packet. */
  repair(bytes: Uint8Array): Repaired | Unusable {
    const about = parseRepairPacket(bytes);
    if (about === undefined) return MALFORMED;
    const code = this.#codes.get(about.code);
    if (code === undefined) return UNKNOWN;
    const { source, stride, index, symbol } = about;
    if (source > code.most.source || index >= code.most.repair || code.symbolBytes(symbol.length) !== symbol.length) {
      return MALFORMED;
    }
    this.#demand(about.hold, about.frames);
    const first = wholeNumber(this.#newest, about.first24, REPAIR_MODULUS);
    if (first + (source - 1) * stride <= this.#newest - REMEMBERED) return { ok: true, recovered: NOTHING };
    const name = `${about.code} ${first} ${stride} ${source}`;
    const block = this.#blocks.get(name) ?? this.#start(name, code, about, first);
    const other = block.repair.values().next().value;
    if (other !== undefined && other.length !== symbol.length) return MALFORMED;
    block.repair.set(index, symbol.slice());
    const recovered = this.#settle([], name);
    if (this.#window.pending.packets === 0) return { ok: true, recovered };
    return { ok: true, recovered: [...recovered, ...recovered.flatMap((one) => this.#slid(this.#window.learned(one)))] };
  }

  #start(name: string, code: BlockCode, about: RepairPacket, first: number): Block {
    const time = wholeNumber(this.#newestTime, about.time24, REPAIR_MODULUS);
    const block: Block = { code, first, timestamp: time * FRAME_UNIT_SAMPLES, about, repair: new Map() };
    for (const [oldest, { first: from, about: what }] of this.#blocks) {
      const isPast = from + (what.source - 1) * what.stride <= this.#newest - REMEMBERED;
      if (!isPast && this.#blocks.size < MAX_BLOCKS) break;
      this.#blocks.delete(oldest);
    }
    this.#blocks.set(name, block);
    return block;
  }

  #at(seq: number): SourcePacket | undefined {
    const known = this.#known[seq & MASK];
    return known?.seq === seq ? known : undefined;
  }

  #isWanted(seq: number): boolean {
    return seq > this.#newest - REMEMBERED && this.#at(seq) === undefined;
  }

  #learn(packet: SourcePacket): void {
    if (packet.seq <= this.#newest - REMEMBERED) return;
    this.#known[packet.seq & MASK] = packet;
    if (packet.seq <= this.#newest) return;
    this.#newest = packet.seq;
    this.#newestTime = packet.timestamp / FRAME_UNIT_SAMPLES;
  }

  #demand(packets: number, frames: number): void {
    const hold = packets * frames * FRAME_MICROS;
    if (hold < this.hold) return;
    this.#hold = hold;
    this.#since = 0;
  }

  /** Solves what can be solved now: the blocks that packets `news` belong to and block `name`, and then those that gain by the results. */
  #settle(news: readonly number[], name?: string): readonly RecoveredPacket[] {
    const recovered: RecoveredPacket[] = [];
    const queue = [...(name === undefined ? [] : [name]), ...news.flatMap((seq) => this.#covering(seq))];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const block = this.#blocks.get(next);
      if (block === undefined) continue;
      for (const packet of this.#solve(next, block)) {
        recovered.push(packet);
        queue.push(...this.#covering(packet.seq));
      }
    }
    return recovered;
  }

  #covering(seq: number): readonly string[] {
    const names: string[] = [];
    for (const [name, { first, about }] of this.#blocks) {
      const distance = seq - first;
      if (distance >= 0 && distance % about.stride === 0 && distance / about.stride < about.source) names.push(name);
    }
    return names;
  }

  #solve(name: string, { code, first, timestamp, about, repair }: Block): readonly RecoveredPacket[] {
    const { source, stride, codec, frames } = about;
    if (first + (source - 1) * stride <= this.#newest - REMEMBERED) {
      this.#blocks.delete(name);
      return NOTHING;
    }
    const packets = Array.from({ length: source }, (_, i) => this.#at(first + i * stride));
    const lost = packets.reduce((count, packet) => count + (packet === undefined ? 1 : 0), 0);
    if (lost > repair.size) return NOTHING;
    const size = (repair.values().next().value as Uint8Array).length;
    const isOdd = (packet: SourcePacket | undefined): boolean =>
      packet !== undefined && symbolLength(packet.payload.length) > size;
    const found =
      lost === 0 || packets.some(isOdd)
        ? undefined
        : code.decode(
            packets.map((packet) => packet && symbolOf(packet.payload, size)),
            repair,
          );
    if (found === undefined && lost > 0 && !packets.some(isOdd)) return NOTHING; // RaptorQ may want one symbol more
    this.#blocks.delete(name);
    const recovered: RecoveredPacket[] = [];
    for (const [i, symbol] of (found ?? []).entries()) {
      const seq = first + i * stride;
      const payload = this.#isWanted(seq) ? payloadOf(symbol) : undefined;
      if (payload === undefined) continue;
      const at = timestamp + i * stride * frames * FRAME_UNIT_SAMPLES;
      const packet: RecoveredPacket = { seq, timestamp: at, codec, frames, payload, by: code.name };
      this.#learn(packet);
      recovered.push(packet);
    }
    return recovered;
  }
}

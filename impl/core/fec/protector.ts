/**
 * The sender's side of forward error correction: takes each media packet before it is sealed and says what to send in its place and beside it.
 * Works on plaintext; everything it gives is sealed packet by packet afterwards, so an attacker learns and forges nothing by it.
 * A gap in time or a change of codec ends what is under way: packets of two runs are never protected together.
 */

import { type FecScheme, wantScheme } from "../../base/fec-scheme.ts";
import { CODEC_LADEN, CODEC_REDUNDANT, CODEC_SLIDING, FRAME_UNIT_SAMPLES } from "../../wire/media-header.ts";
import type { BlockCode, BlockCodes } from "./block-code.ts";
import { MAX_PIECES, pieceCost, putLadenPayload } from "./laden-payload.ts";
import { copyCost, MAX_COPY_BYTES, putRedundantPayload } from "./redundant-payload.ts";
import { putRepairPacket, REPAIR_MODULUS } from "./repair-packet.ts";
import { holdOf, type Lane, lanesOf, repairsATick } from "./scheme.ts";
import { SlidingEncoder } from "./sliding-encoder.ts";
import { isContinued, MAX_PROTECTED_BYTES, type SourcePacket, symbolLength, symbolOf } from "./source-packet.ts";

export type Protected = {
  /** To be sealed in place of the packet's payload. */
  readonly payload: Uint8Array;
  /** To be sealed with it: the packet's own, CODEC_REDUNDANT, CODEC_LADEN or CODEC_SLIDING. */
  readonly codec: number;
  /** Payloads of repair packets to seal and send right after it. */
  readonly repairs: readonly Uint8Array[];
};

const NO_REPAIRS: readonly Uint8Array[] = [];

export class Protector {
  readonly #codes: BlockCodes;
  #scheme: FecScheme;
  #lanes: readonly OpenLane[];
  #sliding: SlidingEncoder | undefined;
  #last: SourcePacket | undefined;
  /** Earlier packets of this run, the oldest first, as far back as copies are made of. */
  #recent: SourcePacket[] = [];
  #waiting: Uint8Array[] = [];

  /** RangeError for a scheme out of range, or one whose code is not among `codes`. */
  constructor(scheme: FecScheme, codes: BlockCodes) {
    this.#codes = codes;
    this.#scheme = wantScheme(scheme);
    this.#lanes = this.#open(scheme);
    this.#sliding = slidingOf(scheme);
  }

  get scheme(): FecScheme {
    return this.#scheme;
  }

  /** Goes on with another scheme; blocks under way are completed as they are. RangeError as the constructor. */
  change(scheme: FecScheme): void {
    const lanes = this.#open(wantScheme(scheme));
    this.#cut();
    this.#scheme = scheme;
    this.#lanes = lanes;
    this.#sliding = slidingOf(scheme);
  }

  /** Takes the next packet of the call; packet numbers rise by one. */
  protect(packet: SourcePacket): Protected {
    if (this.#last !== undefined && !isContinued(this.#last, packet)) this.#cut();
    this.#last = packet;
    if (this.#scheme.scheme === "none" && this.#waiting.length === 0) {
      return { payload: packet.payload, codec: packet.codec, repairs: NO_REPAIRS };
    }
    if (this.#scheme.scheme === "red") {
      return {
        payload: this.#redundant(packet, this.#scheme.depth, this.#scheme.apart ?? 1),
        codec: CODEC_REDUNDANT,
        repairs: this.#release(),
      };
    }
    if (this.#sliding !== undefined)
      return { payload: this.#sliding.protect(packet), codec: CODEC_SLIDING, repairs: this.#release() };
    for (const lane of this.#lanes) this.#lay(lane, packet);
    const repairs = this.#release();
    const isAboard = "leaves" in this.#scheme && this.#scheme.leaves === "aboard";
    return isAboard ? load(packet, repairs) : { payload: packet.payload, codec: packet.codec, repairs };
  }

  /** Nothing is said for now: completes what is under way and gives the repairs to send meanwhile, as many a call as `protect` would. */
  rest(): readonly Uint8Array[] {
    if (this.#last !== undefined) this.#cut();
    this.#last = undefined;
    return this.#release();
  }

  #open(scheme: FecScheme): readonly OpenLane[] {
    return lanesOf(scheme).map((lane) => {
      const code = this.#codes.get(lane.code);
      if (code === undefined)
        throw new RangeError(`fec.scheme: want one of ${[...this.#codes.keys()].join(", ")}, got ${lane.code}`);
      return { lane, code, next: 0, blocks: Array.from({ length: lane.stride }, () => []) };
    });
  }

  #redundant(packet: SourcePacket, copiesWanted: number, apart: number): Uint8Array {
    const depth = copiesWanted * apart;
    const { codec, payload } = packet;
    let room = MAX_PROTECTED_BYTES - payload.length;
    const copies: { distance: number; payload: Uint8Array }[] = [];
    for (let back = apart; back <= this.#recent.length; back += apart) {
      const earlier = this.#recent[this.#recent.length - back] as SourcePacket;
      const cost = copyCost(earlier.payload.length);
      if (cost > room || earlier.payload.length > MAX_COPY_BYTES) break;
      room -= cost;
      copies.unshift({ distance: packet.seq - earlier.seq, payload: earlier.payload });
    }
    this.#recent.push(packet);
    if (this.#recent.length > depth) this.#recent.shift();
    return putRedundantPayload({ codec, depth, copies, payload });
  }

  #lay(open: OpenLane, packet: SourcePacket): void {
    const block = open.blocks[open.next] as SourcePacket[];
    open.next = (open.next + 1) % open.lane.stride;
    block.push(packet);
    if (block.length === open.lane.source) this.#finish(open, block);
  }

  /** Queues the block's repair packets and empties it; a block cut short has its share of them, rounded up. */
  #finish({ lane, code }: OpenLane, block: SourcePacket[]): void {
    const first = block[0];
    if (first === undefined) return;
    const longest = block.reduce((most, { payload }) => Math.max(most, payload.length), 0);
    if (longest <= MAX_PROTECTED_BYTES) {
      const size = code.symbolBytes(symbolLength(longest));
      const symbols = block.map(({ payload }) => symbolOf(payload, size));
      const count = Math.ceil((lane.repair * block.length) / lane.source);
      const { codec, frames, seq, timestamp } = first;
      for (const [index, symbol] of code.encode(symbols, count).entries()) {
        const covered = { code: lane.code, source: block.length, stride: lane.stride, index, codec, frames };
        const first24 = seq % REPAIR_MODULUS;
        const time24 = (timestamp / FRAME_UNIT_SAMPLES) % REPAIR_MODULUS;
        this.#waiting.push(putRepairPacket({ ...covered, hold: holdOf(this.#scheme), first24, time24, symbol }));
      }
    }
    block.length = 0;
  }

  /** Ends the run: what is under way is completed as it is. */
  #cut(): void {
    this.#recent = [];
    this.#sliding?.cut();
    for (const open of this.#lanes) {
      for (const block of open.blocks) this.#finish(open, block);
      open.next = 0;
    }
  }

  #release(): readonly Uint8Array[] {
    if (this.#waiting.length === 0) return NO_REPAIRS;
    return this.#waiting.splice(0, repairsATick(this.#scheme));
  }
}

const slidingOf = (scheme: FecScheme): SlidingEncoder | undefined =>
  scheme.scheme === "rlc" ? new SlidingEncoder(scheme.window, scheme.percent) : undefined;

/** Takes aboard what fits; the rest goes in packets of its own. Without any it is laden all the same, so that headers stay short. */
function load({ codec, payload }: SourcePacket, repairs: readonly Uint8Array[]): Protected {
  let room = MAX_PROTECTED_BYTES - payload.length;
  const fits = repairs.findIndex((piece, i) => {
    room -= pieceCost(piece.length);
    return room < 0 || i >= MAX_PIECES;
  });
  const count = fits < 0 ? repairs.length : fits;
  const pieces = repairs.slice(0, count);
  return { payload: putLadenPayload({ codec, pieces, payload }), codec: CODEC_LADEN, repairs: repairs.slice(count) };
}

type OpenLane = {
  readonly lane: Lane;
  readonly code: BlockCode;
  /** The block the next packet goes to. */
  next: number;
  readonly blocks: readonly SourcePacket[][];
};

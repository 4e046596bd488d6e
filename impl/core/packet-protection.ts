/**
 * Sealing and opening of media packets: ChaCha20-Poly1305 per packet and direction, nonces as in QUIC (RFC 9001 section 5.3: IV XOR packet
 * number), numbers that never repeat, a replay window (RFC 4303) moved by authentic packets only. One Sealer and one Opener live
 * as long as the call's keys, through every change of path, session and relay.
 *
 * Associated data, 14 octets, the same for both header forms: kind and marker as in octet 0 with the form's bits 0, codec and frames as in
 * octet 2, the whole packet number and the whole timestamp in 6 octets each. So low bits that were completed wrongly fail to open
 * instead of playing the wrong thing. The channel is not covered: each relay assigns its own.
 */
import { putUint } from "../base/cursor.ts";
import { invariant } from "../base/invariant.ts";
import { freshOctets } from "../base/octet-slab.ts";
import type { RefusalReason } from "../base/record.ts";
import {
  CODEC_OPUS,
  codecOctet,
  FULL_HEADER_BYTES,
  factsOctet,
  MAX_CHANNEL,
  MAX_FRAMES,
  type MediaFacts,
  MINI_HEADER_BYTES,
  type PayloadKind,
  parseMediaHeader,
  putMediaHeader,
} from "../wire/media-header.ts";
import { type Cipher, type CryptoEngine, TAG_BYTES } from "./crypto.ts";
import { isFullDue, type Run, RunMemory, runOf, timestampIn } from "./header-run.ts";
import { wantOctets } from "./octets.ts";
import { PACKET_NUMBER_LIMIT, wholeNumber } from "./packet-number.ts";
import { ReplayWindow } from "./replay-window.ts";
import { textOctets } from "./transcript.ts";

/** One packet to seal. The defaults are one 20 ms Opus frame of speech. */
export type OutgoingMedia = {
  /** 0..255, of the session the packet leaves on. */
  readonly channel: number;
  /**
   * Capture instant of the first sample, in samples at 48 kHz. The first of a call is below 2^32, none is above 2^48, and the peer follows
   * as long as no silence reaches 2^31 (12 h).
   */
  readonly timestamp: number;
  readonly payload: Uint8Array;
  readonly codec?: number;
  /** Units of 20 ms, 1..16. */
  readonly frames?: number;
  readonly kind?: PayloadKind;
  readonly marker?: boolean;
};

export type OpenedMedia = MediaFacts & {
  readonly ok: true;
  /** Whole packet number: never the same twice from one Opener. */
  readonly seq: number;
  /** As given to `seal`. */
  readonly timestamp: number;
  readonly codec: number;
  readonly frames: number;
  readonly channel: number;
  /** The receiver's own. */
  readonly payload: Uint8Array;
};

/**
 * `malformed`: not a media packet. `unexpected`: a mini packet before any full one. `replayed`: its number was seen, or is below the window.
 * `unauthentic`: everything else, including a mini packet of a run whose full headers were all lost.
 */
export type RefusedMedia = { readonly ok: false; readonly reason: RefusalReason };

/** Most that sealing adds to a payload, in octets. */
export const PROTECTION_BYTES: number = FULL_HEADER_BYTES + TAG_BYTES;

export class Sealer {
  readonly #protection: Protection;
  #next: number;
  #run: Run | undefined;
  #index = 0;
  #unitsSinceFull = 0;

  /** `key`: 32 octets, used by this Sealer alone. `first`: the first packet number; anything but 0 must be above every number ever used with `key`. */
  constructor(engine: CryptoEngine, key: Uint8Array, first = 0) {
    if (!(Number.isInteger(first) && first >= 0 && first < PACKET_NUMBER_LIMIT)) {
      throw new RangeError(`first: want a whole number below 2^48, got ${first}`);
    }
    this.#protection = new Protection(engine, key);
    this.#next = first;
  }

  /** The number the next packet will have. */
  get next(): number {
    return this.#next;
  }

  /** The next packets carry full headers: to be called when packets start to leave on another path or session. */
  resync(): void {
    this.#run = undefined;
  }

  /** Seals under the next packet number. RangeError for a field out of range; InvariantError when 2^48 packets were sealed. */
  seal(media: OutgoingMedia): { readonly packet: Uint8Array; readonly seq: number } {
    const { channel, timestamp, payload, codec = CODEC_OPUS, frames = 1, kind = "speech", marker = false } = media;
    wantWhole("channel", channel, 0, MAX_CHANNEL);
    wantWhole("timestamp", timestamp, 0, PACKET_NUMBER_LIMIT - 1);
    wantWhole("codec", codec, 0, 15);
    wantWhole("frames", frames, 1, MAX_FRAMES);
    const seq = this.#next;
    invariant(seq < PACKET_NUMBER_LIMIT, "a key seals at most 2^48 packets");
    this.#next = seq + 1;

    const facts = factsOctet(kind, marker);
    const full = this.#needsFull(seq, timestamp, codec, frames);
    const sealed = this.#protection.seal(facts, codecOctet(codec, frames), seq, timestamp, payload);
    const packet = freshOctets((full ? FULL_HEADER_BYTES : MINI_HEADER_BYTES) + sealed.length);
    const length = putMediaHeader(
      packet,
      full
        ? { form: "full", kind, marker, channel, codec, frames, seq32: seq % 2 ** 32, timestamp32: timestamp % 2 ** 32 }
        : { form: "mini", kind, marker, channel, seq16: seq % 2 ** 16 },
    );
    packet.set(sealed, length);
    return { packet, seq };
  }

  #needsFull(seq: number, timestamp: number, codec: number, frames: number): boolean {
    const run = this.#run;
    if (run !== undefined && run.codec === codec && run.frames === frames && timestampIn(run, seq) === timestamp) {
      this.#index++;
    } else {
      this.#run = runOf(codec, frames, seq, timestamp);
      this.#index = 0;
    }
    this.#unitsSinceFull += frames;
    const full = isFullDue(this.#index, this.#unitsSinceFull);
    if (full) this.#unitsSinceFull = 0;
    return full;
  }
}

export class Opener {
  readonly #protection: Protection;
  readonly #window = new ReplayWindow();
  readonly #runs = new RunMemory();
  /** Timestamp of the packet with the highest number. */
  #latest = -1;

  /** `key`: 32 octets. */
  constructor(engine: CryptoEngine, key: Uint8Array) {
    this.#protection = new Protection(engine, key);
  }

  /** The highest authentic packet number so far, -1 before the first. */
  get highest(): number {
    return this.#window.highest;
  }

  /** Authenticates and opens one packet; a refused one changes nothing. Never throws on any octets. */
  open(packet: Uint8Array): OpenedMedia | RefusedMedia {
    const header = parseMediaHeader(packet);
    if (header === undefined) return MALFORMED;
    const length = header.form === "full" ? FULL_HEADER_BYTES : MINI_HEADER_BYTES;
    if (packet.length < length + TAG_BYTES) return MALFORMED;
    const seq =
      header.form === "full"
        ? wholeNumber(this.#window.highest, header.seq32, 2 ** 32)
        : wholeNumber(this.#window.highest, header.seq16, 2 ** 16);
    if (!this.#window.accepts(seq)) return REPLAYED;
    const sealed = packet.subarray(length);
    const { kind, marker, channel } = header;
    const facts = factsOctet(kind, marker);

    if (header.form === "full") {
      const { codec, frames } = header;
      const timestamp = wholeNumber(this.#latest, header.timestamp32, 2 ** 32);
      const payload = this.#protection.open(facts, codecOctet(codec, frames), seq, timestamp, sealed);
      if (payload === undefined) return UNAUTHENTIC;
      this.#accept(seq, timestamp, runOf(codec, frames, seq, timestamp));
      return { ok: true, seq, timestamp, codec, frames, kind, marker, channel, payload };
    }
    let tried = false;
    for (const run of this.#runs.candidates(seq)) {
      tried = true;
      const timestamp = timestampIn(run, seq);
      if (timestamp < 0 || timestamp >= PACKET_NUMBER_LIMIT) continue;
      const { codec, frames } = run;
      const payload = this.#protection.open(facts, codecOctet(codec, frames), seq, timestamp, sealed);
      if (payload === undefined) continue;
      this.#accept(seq, timestamp, run);
      return { ok: true, seq, timestamp, codec, frames, kind, marker, channel, payload };
    }
    return tried ? UNAUTHENTIC : UNEXPECTED;
  }

  #accept(seq: number, timestamp: number, run: Run): void {
    if (seq > this.#window.highest) this.#latest = timestamp;
    this.#window.mark(seq);
    this.#runs.learn(seq, run);
  }
}

const MALFORMED: RefusedMedia = { ok: false, reason: "malformed" };
const REPLAYED: RefusedMedia = { ok: false, reason: "replayed" };
const UNAUTHENTIC: RefusedMedia = { ok: false, reason: "unauthentic" };
const UNEXPECTED: RefusedMedia = { ok: false, reason: "unexpected" };

const LABEL = textOctets("midcall media v1");

/** The AEAD of one direction, with its buffers for nonce and associated data: they change with every packet and leave nobody's hands. */
class Protection {
  readonly #cipher: Cipher;
  readonly #iv: Uint8Array;
  readonly #nonce = new Uint8Array(12);
  readonly #associated = new Uint8Array(14);

  constructor(engine: CryptoEngine, key: Uint8Array) {
    wantOctets("key", key, 32);
    const material = engine.derive(key, new Uint8Array(0), LABEL, 44);
    this.#cipher = engine.cipher(material.slice(0, 32));
    this.#iv = material.slice(32);
    this.#nonce.set(this.#iv);
  }

  seal(facts: number, coding: number, seq: number, timestamp: number, payload: Uint8Array): Uint8Array {
    this.#prepare(facts, coding, seq, timestamp);
    return this.#cipher.seal(this.#nonce, this.#associated, payload);
  }

  open(facts: number, coding: number, seq: number, timestamp: number, sealed: Uint8Array): Uint8Array | undefined {
    this.#prepare(facts, coding, seq, timestamp);
    return this.#cipher.open(this.#nonce, this.#associated, sealed);
  }

  #prepare(facts: number, coding: number, seq: number, timestamp: number): void {
    const associated = this.#associated;
    associated[0] = facts;
    associated[1] = coding;
    putUint(associated, 2, 6, seq);
    putUint(associated, 8, 6, timestamp);
    for (let i = 0; i < 6; i++) this.#nonce[6 + i] = (this.#iv[6 + i] as number) ^ (associated[2 + i] as number);
  }
}

function wantWhole(name: string, value: number, least: number, most: number): void {
  if (!(Number.isInteger(value) && value >= least && value <= most)) {
    throw new RangeError(`${name}: want a whole number in ${least}..${most}, got ${value}`);
  }
}

/**
 * Messages on a byte stream: a four-octet big-endian length, then that many octets. The reader takes the stream in any pieces,
 * skips what is larger than its limit without holding it, and is total: every octet sequence is a valid stream.
 */
import { ByteReader, concatBytes, putUint } from "../base/cursor.ts";

/** Octets of the length in front of a message. */
export const FRAME_HEADER_BYTES = 4;

export type FrameEvent =
  /** A whole message in a buffer of its own. */
  | { readonly type: "message"; readonly bytes: Uint8Array }
  /** A message of `length` octets was announced, more than the limit; its octets are passed over as they come. */
  | { readonly type: "oversized"; readonly length: number };

/** `message` with its length in front, in a new buffer; RangeError above 2^32 - 1 octets. */
export function frame(message: Uint8Array): Uint8Array {
  if (message.length > 0xffff_ffff) throw new RangeError(`message: want at most 2^32 - 1 octets, got ${message.length}`);
  const out = new Uint8Array(FRAME_HEADER_BYTES + message.length);
  putUint(out, 0, FRAME_HEADER_BYTES, message.length);
  out.set(message, FRAME_HEADER_BYTES);
  return out;
}

/** Reads one direction of a stream. It never holds more than the limit plus a header. */
export class FrameReader {
  readonly #limit: number;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #want: number = FRAME_HEADER_BYTES;
  #in: "header" | "body" | "skip" = "header";

  /** `limit`: octets of the largest message let through. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** What the next octets of the stream complete, in order. `chunk` is not kept. */
  push(chunk: Uint8Array): FrameEvent[] {
    const events: FrameEvent[] = [];
    let at = 0;
    for (;;) {
      const take = Math.min(this.#want - this.#heldBytes, chunk.length - at);
      if (this.#in !== "skip" && take > 0) this.#held.push(new Uint8Array(chunk.subarray(at, at + take)));
      this.#heldBytes += take;
      at += take;
      if (this.#heldBytes < this.#want) return events;
      const part = concatBytes(...this.#held);
      this.#held = [];
      this.#heldBytes = 0;
      if (this.#in === "header") {
        this.#want = new ByteReader(part).uint(FRAME_HEADER_BYTES);
        this.#in = this.#want > this.#limit ? "skip" : "body";
        if (this.#in === "skip") events.push({ type: "oversized", length: this.#want });
      } else {
        if (this.#in === "body") events.push({ type: "message", bytes: part });
        this.#in = "header";
        this.#want = FRAME_HEADER_BYTES;
      }
    }
  }
}

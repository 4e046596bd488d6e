/** Reading and writing network-order integers without throwing: a reader past the end goes `bad` and yields zeros. */

export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** True once anything was read past the end; everything read since is 0 or empty. */
  bad = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  get remaining(): number {
    return this.#bytes.length - this.#at;
  }
  /** Unsigned big-endian integer of `size` octets (1..6). */
  uint(size: number): number {
    if (this.#at + size > this.#bytes.length) {
      this.bad = true;
      this.#at = this.#bytes.length;
      return 0;
    }
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + (this.#bytes[this.#at++] as number);
    return value;
  }
  /** A view of the next `length` octets (not a copy). */
  bytes(length: number): Uint8Array {
    if (length < 0 || this.#at + length > this.#bytes.length) {
      this.bad = true;
      this.#at = this.#bytes.length;
      return new Uint8Array(0);
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }
}

/** Writes an unsigned big-endian integer of `size` octets (1..6) at `at`; the caller guarantees the room. */
export function putUint(into: Uint8Array, at: number, size: number, value: number): void {
  let rest = value;
  for (let i = size - 1; i >= 0; i--) {
    into[at + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

const HEX = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, "0"));

export const toHex = (bytes: Uint8Array): string => {
  let out = "";
  for (const byte of bytes) out += HEX[byte];
  return out;
};

/** Undefined unless `text` is an even number of hexadecimal digits. */
export const fromHex = (text: string): Uint8Array | undefined => {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined;
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(text.slice(i * 2, i * 2 + 2), 16);
  return out;
};

export const concatBytes = (...parts: readonly Uint8Array[]): Uint8Array => {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
};

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);

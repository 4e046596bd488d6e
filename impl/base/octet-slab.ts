/**
 * Small byte arrays cut from a larger one. `new Uint8Array(n)` above 64 octets costs V8 a malloc and a finaliser (0.32 us here), a piece of a
 * slab 0.03 us: it decides what a simulated packet costs. The price: a piece keeps its whole slab alive, as node's Buffer pool does.
 */

/** chosen: 500 voice packets, so the malloc is spread thin, and small enough that a kept piece pins little. */
const SLAB_BYTES = 65_536;
/** chosen: longer requests gain nothing and would waste the slab's tail. */
const LARGEST_PIECE = 2_048;

let slab = new ArrayBuffer(SLAB_BYTES);
let used = 0;

/** `length` octets, all zero, that nobody else holds. Views of one ArrayBuffer: copy before transferring one to another thread. */
export function freshOctets(length: number): Uint8Array {
  if (length > LARGEST_PIECE) return new Uint8Array(length);
  if (used + length > SLAB_BYTES) {
    slab = new ArrayBuffer(SLAB_BYTES);
    used = 0;
  }
  const piece = new Uint8Array(slab, used, length);
  used += length;
  return piece;
}

/** Whole packet numbers from their low bits on the wire (RFC 9000 section 17.1 and appendix A.3). */

/** Packet numbers lie below this: they fill six octets of a nonce. At 50 packets a second it is reached after 178,000 years. */
export const PACKET_NUMBER_LIMIT: number = 2 ** 48;

/**
 * The number closest to `largest + 1` whose remainder modulo `modulus` is `low`, within 0..2^48-1. `largest` is the highest
 * one authenticated so far, -1 before the first; `modulus` is a power of two.
 */
export function wholeNumber(largest: number, low: number, modulus: number): number {
  const expected = largest + 1;
  const half = modulus / 2;
  const candidate = expected - (expected % modulus) + low;
  if (candidate <= expected - half && candidate < PACKET_NUMBER_LIMIT - modulus) return candidate + modulus;
  if ((candidate > expected + half && candidate >= modulus) || candidate >= PACKET_NUMBER_LIMIT) return candidate - modulus;
  return candidate;
}

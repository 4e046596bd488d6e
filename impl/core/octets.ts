/** The caller's-misuse check shared by everything that takes keys, nonces and secrets of a fixed size. */

/** Throws RangeError naming the argument unless `bytes` has exactly `length` octets. */
export function wantOctets(name: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw new RangeError(`${name}: want ${length} octets, got ${bytes.length}`);
}

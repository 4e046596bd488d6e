/**
 * The exact octets that signatures and key derivations cover: a domain string, then every part, each behind a two-octet length, so that
 * no two different lists of parts give the same octets and nothing signed for one purpose is valid for another.
 */
import { putUint } from "../base/cursor.ts";
import { invariant } from "../base/invariant.ts";

const encoder = new TextEncoder();

/** UTF-8 octets of text that this project chose or a parser has accepted. */
export const textOctets = (text: string): Uint8Array => encoder.encode(text);

/** `length(domain) domain length(part) part ...`, lengths big-endian in two octets. Strings are taken as UTF-8. */
export function transcript(domain: string, ...parts: readonly (string | Uint8Array)[]): Uint8Array {
  const pieces = [domain, ...parts].map((part) => (typeof part === "string" ? textOctets(part) : part));
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + 2 + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    invariant(piece.length <= 0xffff, "a transcript's part fits its two-octet length");
    putUint(out, at, 2, piece.length);
    out.set(piece, at + 2);
    at += 2 + piece.length;
  }
  return out;
}

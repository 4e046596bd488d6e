/** What reflexive observations say of the NAT before a socket (RFC 5780 section 4.3, the part that needs no special server). */
import type { Address } from "../../base/address.ts";
import { parseAddress } from "../../base/address.ts";

/** `cone`: endpoint-independent mapping (RFC 4787). `symmetric`: the mapping depends on whom one asks. `unknown`: fewer than two answers. */
export type NatKind = "unknown" | "none" | "cone" | "symmetric";

/** Classifies by what two or more servers saw of the one socket; `own`: the host's addresses, without port. Families are told apart. */
export function classify(observed: ReadonlyMap<Address, Address>, own: readonly string[]): NatKind {
  const seen = [...observed.values()].filter((one) => parseAddress(one)?.family === 4);
  if (seen.length < 2) return "unknown";
  if (seen.some((one) => own.includes(parseAddress(one)?.host ?? ""))) return "none";
  return new Set(seen).size === 1 ? "cone" : "symmetric";
}

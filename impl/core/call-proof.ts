/**
 * What proves that two parties are in a call: both their key shares, as offer and answer carried them. Each is signed by its maker for this
 * call, role and peer, and the callee's covers the caller's, so nobody else can have made the pair, and knowing a call's id is not enough.
 */
import type { RefusalReason } from "../base/record.ts";
import type { CryptoEngine } from "./crypto.ts";
import { type KeyShare, verifyShare } from "./key-agreement.ts";

export type CallProof = { readonly caller: KeyShare; readonly callee: KeyShare };

/** The call that a proof is to be for: its id and its parties' fingerprints. */
export type CallNames = { readonly call: string; readonly caller: string; readonly callee: string };

/** Whether `proof` shows that these two are in this call. Never throws. */
export function verifyCallProof(
  engine: CryptoEngine,
  proof: CallProof,
  { call, caller, callee }: CallNames,
): { readonly ok: true } | { readonly ok: false; readonly reason: RefusalReason } {
  const asked = verifyShare(engine, proof.caller, { call, role: "caller", from: caller, to: callee });
  if (!asked.ok) return asked;
  return verifyShare(engine, proof.callee, { call, role: "callee", from: callee, to: caller, answering: proof.caller });
}

/** Whether two shares are the same share. */
export const isSameShare = (one: KeyShare, other: KeyShare): boolean =>
  one.identity === other.identity && one.share === other.share && one.signature === other.signature;

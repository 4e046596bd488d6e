/**
 * Generations of a party's candidate addresses: each update of our own carries a higher number than the one before, and an
 * update of the peer counts only when its number is higher than the last one applied, whatever order the network chose.
 */
import type { Address } from "../base/address.ts";

export type Candidates = { readonly reflexive?: Address; readonly local: readonly Address[]; readonly mapped?: Address };

/** `own`: the generation last sent (0: those of the offer or answer). `peer`: the generation last applied (0: of the setup). */
export type State = { readonly own: number; readonly peer: number; readonly peerCandidates: Candidates };

export const start = (peerCandidates: Candidates): State => ({ own: 0, peer: 0, peerCandidates });

/** The state after announcing our own addresses anew; `own` is the generation to send. */
export const announce = (s: State): State => ({ ...s, own: s.own + 1 });

/** Applies an update of the peer, or refuses it as stale. */
export function apply(
  s: State,
  generation: number,
  candidates: Candidates,
): { readonly state: State; readonly applied: boolean } {
  if (generation <= s.peer) return { state: s, applied: false };
  return { state: { ...s, peer: generation, peerCandidates: candidates }, applied: true };
}

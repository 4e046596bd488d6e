/**
 * The Gilbert-Elliott loss model: a chain of two states, each with its own loss ratio, stepped once a packet.
 * Source: Gilbert 1960, Elliott 1963; the parameters are those of `tc netem loss gemodel p r 1-h 1-k`.
 */
import type { LinkModel } from "../expanded.ts";

type Burst = NonNullable<LinkModel["burst"]>;

/** The state of one chain; it starts good. */
export type Chain = { readonly model: Burst; bad: boolean };

export const startChain = (model: Burst): Chain => ({ model, bad: false });

/** Moves the chain on by one packet. `unit` is a draw in 0..1 (1 excluded). */
export function stepChain(chain: Chain, unit: number): void {
  chain.bad = chain.bad ? unit >= chain.model.r : unit < chain.model.p;
}

/** Loss ratio of the packet for which the chain was last stepped, 0..1. */
export const lossOf = (chain: Chain): number => (chain.bad ? chain.model.lossBad : chain.model.lossGood);

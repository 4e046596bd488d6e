/**
 * The Gilbert-Elliott loss model: a chain of two states, each with its own loss ratio, stepped once a slot of time and not once a packet. What makes
 * bursts (fading, contention, a queue upstream) goes on whether or not somebody sends, so a burst lasts as long for a busy link as for a quiet one.
 * For a voice stream of a packet a slot the parameters mean what they mean to `tc netem loss gemodel p r 1-h 1-k`, which steps at every packet.
 * Source: Gilbert 1960, Elliott 1963; in time: Yajnik, Moon, Kurose, Towsley, "Measurement and Modelling of the Temporal Dependence in Packet Loss" (1999).
 */
import type { LinkModel } from "../expanded.ts";

type Burst = NonNullable<LinkModel["burst"]>;

/** One step of the chain, microseconds: a packet of voice, for which the mean burst of a model is then its number of packets. */
export const SLOT = 20_000;

/** The state of one chain in `slot`. */
export type Chain = { readonly model: Burst; slot: number; bad: boolean };

/** Good before the run begins, whenever the model is put in force: bursts do not wait for somebody to look. */
export const startChain = (model: Burst): Chain => ({ model, slot: -1, bad: false });

/** Moves the chain on to `slot`, if it is not there yet. `unit(n)` is the draw of slot n in 0..1 (1 excluded), the same whenever asked. */
export function moveChain(chain: Chain, slot: number, unit: (slot: number) => number): void {
  const { p, r } = chain.model;
  while (chain.slot < slot) {
    const draw = unit(++chain.slot);
    chain.bad = chain.bad ? draw >= r : draw < p;
  }
}

/** Loss ratio in the slot that the chain is in, 0..1. */
export const lossOf = (chain: Chain): number => (chain.bad ? chain.model.lossBad : chain.model.lossGood);

/** Partitions in force: what passes from one party to another, and what does not (the fault `partition`). */
import { type Address, type AddressFamily, familyOf } from "../impl/base/address.ts";
import type { Direction } from "../scenarios/expanded.ts";

type Cut = { readonly from: string; readonly to: string; readonly fault: number; readonly family: AddressFamily | undefined };

export class Cuts {
  readonly #all: Set<Cut> = new Set();

  /** Nothing passes between two parties, or nothing of one family, for `fault`: `up` is from `party` to `other`. The returned function ends that. */
  lay(party: string, other: string, direction: Direction, fault: number, family: AddressFamily | undefined): () => undefined {
    const ways: readonly Cut[] = [
      ...(direction === "down" ? [] : [{ from: party, to: other, fault, family }]),
      ...(direction === "up" ? [] : [{ from: other, to: party, fault, family }]),
    ];
    for (const way of ways) this.#all.add(way);
    return () => {
      for (const way of ways) this.#all.delete(way);
      return undefined;
    };
  }

  /** The fault that keeps a packet for `address` from passing; undefined: none does. */
  between(from: string, to: string, address: Address): number | undefined {
    if (this.#all.size === 0) return undefined;
    for (const cut of this.#all)
      if (cut.from === from && cut.to === to && (cut.family === undefined || cut.family === familyOf(address))) return cut.fault;
    return undefined;
  }
}

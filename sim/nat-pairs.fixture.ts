/**
 * Which pairs of the nine NATs of RFC 4787 (three mappings by three filterings) meet, in theory. It is computed here from nothing but the two behaviours: each
 * side sends to every address of the other it knows of, whatever gets through teaches its source, and a path exists when two addresses reach each other both
 * ways. For the textbook's kinds it is the table of RFC 5128's hole punching.
 */
import type { NatBehaviour } from "../scenarios/expanded.ts";

export type Kind = { readonly mapping: NatBehaviour; readonly filtering: NatBehaviour };
const BEHAVIOURS: readonly NatBehaviour[] = ["endpoint-independent", "address-dependent", "address-and-port-dependent"];
export const KINDS: readonly Kind[] = BEHAVIOURS.flatMap((mapping) => BEHAVIOURS.map((filtering) => ({ mapping, filtering })));
const short = { "endpoint-independent": "EI", "address-dependent": "AD", "address-and-port-dependent": "APD" };
export const nameOf = (kind: Kind): string => `${short[kind.mapping]}M+${short[kind.filtering]}F`;

/** What a NAT's outside address is keyed by, and whom it lets in there. Addresses are `host:port` with ports made up of the key. */
class Box {
  readonly #kind: Kind;
  readonly #host: string;
  readonly #sentTo = new Map<string, Set<string>>();
  constructor(kind: Kind, host: string) {
    this.#kind = kind;
    this.#host = host;
  }
  static scope(behaviour: NatBehaviour, of: string): string {
    if (behaviour === "endpoint-independent") return "any";
    return behaviour === "address-dependent" ? (of.split(":")[0] ?? "") : of.replace(":", "#");
  }
  /** The address that a packet to `to` leaves by. */
  out(to: string): string {
    const own = `${this.#host}:${Box.scope(this.#kind.mapping, to)}`;
    this.#sentTo.set(own, (this.#sentTo.get(own) ?? new Set()).add(Box.scope(this.#kind.filtering, to)));
    return own;
  }
  isOpen(own: string, from: string): boolean {
    const open = this.#sentTo.get(own);
    return open !== undefined && (open.has("any") || open.has(Box.scope(this.#kind.filtering, from)));
  }
}

export function isPossible(a: Kind, b: Kind): boolean {
  const boxes = [new Box(a, "A"), new Box(b, "B")] as const;
  const known = [new Set([boxes[1].out("S:1")]), new Set([boxes[0].out("S:1")])] as const;
  for (let round = 0; round < 6; round++)
    for (const side of [0, 1] as const)
      for (const to of [...known[side]]) {
        const from = boxes[side].out(to);
        if (boxes[1 - side]?.isOpen(to, from)) known[1 - side]?.add(from);
      }
  return [...known[0]].some((far) => {
    const near = boxes[0].out(far);
    return known[1].has(near) && boxes[1].out(near) === far && boxes[1].isOpen(far, near) && boxes[0].isOpen(near, far);
  });
}

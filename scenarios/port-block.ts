/**
 * Blocks of external ports: a carrier's NAT that gives each subscriber a range of its own, decided beforehand by the subscriber's number (deterministic CGN,
 * RFC 7422), so that no log is needed to know who had a port, and nobody uses up everybody's (RFC 6888 REQ-4). One function for every laboratory.
 * Left out on purpose: blocks beyond a subscriber's first (RFC 7422's overflow ranges).
 */
import type { NatModel } from "./expanded.ts";

/** RFC 4787 section 4.2: a NAT picks from the registered and dynamic ranges. chosen: all of 1024..65535. */
export const FIRST_PORT = 1_024;
export const PORTS: number = 65_536 - FIRST_PORT;
/** Most ports of a block. chosen: more than carriers give, and the kernel's rules name each port. */
export const LARGEST_BLOCK = 4_096;

/** `size` ports from `first` on. */
export type PortRange = { readonly first: number; readonly size: number };

/**
 * The ports of a NAT's `subscriber`, counted from 0: NATs behind it in the order of their addresses, then interfaces in the order of theirs. Undefined
 * where the pool has no block for it. Without blocks: every port.
 */
export function portsOf({ portBlock }: Pick<NatModel, "portBlock">, subscriber: number): PortRange | undefined {
  if (portBlock === undefined) return { first: FIRST_PORT, size: PORTS };
  const { size, blocks = Math.floor(PORTS / size) } = portBlock;
  return subscriber < blocks ? { first: FIRST_PORT + subscriber * size, size } : undefined;
}

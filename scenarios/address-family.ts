/**
 * The two address families, in the one place that tells them apart for scenarios and laboratories: which an interface has, and the IPv6 addresses that
 * every laboratory gives.
 *
 * Every interface has its place in both plans, whichever families it has.
 *
 *   2001:db8::k    interfaces on the internet (RFC 3849)
 *   2001:db8:n::k  interfaces behind the n-th box, k from 2, its own address there being 1: a prefix of its own, whatever box it is behind
 *
 * Left out on purpose: translation of IPv6 (NAT66, NPTv6 of RFC 6296, NAT64), several prefixes on one interface, router advertisements.
 */
import { z } from "zod";
import { type Address, type AddressFamily, address, familyOf } from "../impl/base/address.ts";
import type { InterfaceModel } from "./expanded.ts";

/** As RFC 6724 prefers them where a destination has both: IPv6 first. */
const PREFERRED = ["v6", "v4"] as const satisfies readonly AddressFamily[];

/** What an interface has when it does not say. */
const DEFAULT_FAMILIES: readonly AddressFamily[] = ["v4"];

/** As written: at least one, none twice. */
export const families: z.ZodType<readonly AddressFamily[]> = z
  .array(z.enum(["v4", "v6"]))
  .min(1)
  .refine((list) => new Set(list).size === list.length, { error: "names a family twice: want each once" });

/** The families of an interface, the preferred one first. */
export const familiesOf = ({ families = DEFAULT_FAMILIES }: Pick<InterfaceModel, "families">): readonly AddressFamily[] =>
  PREFERRED.filter((one) => families.includes(one));

/** The first 64 bits of the addresses behind box `number`, from 1; 0: of those on the internet. */
export const prefixOfBox = (number: number): string => (number === 0 ? "2001:db8::" : `2001:db8:${number.toString(16)}::`);

/** The `k`-th address of such a prefix, as RFC 5952 writes it. RangeError beyond what its last 16 bits hold. */
export function hostIn(prefix: string, k: number): string {
  if (!(Number.isInteger(k) && k >= 1 && k <= 0xffff)) throw new RangeError(`${prefix}/64: want an address 1..65535, got ${k}`);
  return `${prefix}${k.toString(16)}`;
}

/** Of a party's hosts, the most preferred interface's first, one transport address for each family, the preferred family first. */
export const onePerFamily = (hosts: readonly string[], port: number): readonly Address[] =>
  PREFERRED.flatMap((family) => {
    const host = hosts.find((one) => familyOf(one) === family);
    return host === undefined ? [] : [address(host, port)];
  });

/** What a client is told of a relay with these addresses. RangeError for none. */
export function relayTarget<Pin>([first, ...also]: readonly Address[], pin: Pin): RelayAddresses & { readonly pin: Pin } {
  if (first === undefined) throw new RangeError("relay: it has no address");
  return { address: first, ...(also.length === 0 ? {} : { also }), pin };
}

type RelayAddresses = { readonly address: Address; readonly also?: readonly Address[] };

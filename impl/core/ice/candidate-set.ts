/**
 * A party's candidate addresses (RFC 8445 section 5.1): which of its host's addresses are worth telling, and in which order a peer's are tried.
 * Left out on purpose: priorities and foundations. Three kinds and both families are tried at once, and the order only breaks ties.
 */
import { type Address, type AddressFamily, address, familyOf, parseAddress } from "../../base/address.ts";
import type { Candidates } from "../candidate-generation.ts";
import type { HostNetwork, NetworkInterface } from "../effect.ts";

/** `reflexive` stands for peer-reflexive ones too (RFC 8445 section 7.3.1.3): found by a packet instead of a server. */
export type CandidateType = "host" | "mapped" | "reflexive";
export type Candidate = { readonly address: Address; readonly type: CandidateType };

/** What a gathering yields; `generation` is 0 for the offer's or answer's, and higher for each later one. */
export type CandidateSet = Candidates & { readonly generation: number };

/** chosen: as many as a message may carry (impl/wire/signal.ts), so that a peer's list bounds what it makes us dial. */
const MOST = 16;

/** Octets of an IPv4 address; undefined for anything else. */
const octetsOf = (ip: string): readonly number[] | undefined => (ip.includes(":") ? undefined : ip.split(".").map(Number));

/** First 16 bits of an IPv6 address. */
const prefixOf = (ip: string): number => (ip.startsWith(":") ? 0 : Number.parseInt(ip.split(":")[0] ?? "", 16));

/** Private and shared IPv4 (RFC 1918, RFC 6598), global and unique local IPv6 (RFC 4291, RFC 4193). Public IPv4 is what STUN tells. */
export function isHostCandidate(ip: string): boolean {
  const octets = octetsOf(ip);
  if (octets !== undefined) {
    const [a = -1, b = -1] = octets;
    return a === 10 || (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168) || (a === 100 && b >= 64 && b <= 127);
  }
  const prefix = prefixOf(ip);
  return (prefix >= 0x2000 && prefix <= 0x3fff) || (prefix >= 0xfc00 && prefix <= 0xfdff);
}

/**
 * The host's own addresses that are worth telling, each with the port of the one socket; what has the default route first, and of one interface IPv6 first
 * (RFC 8421 section 4).
 */
export function hostCandidates(network: HostNetwork): readonly Address[] {
  const ordered = [...network.interfaces].sort((a, b) => Number(b.isDefault) - Number(a.isDefault));
  const found = ordered.flatMap((one) => v6First(worthTelling(one), familyOf).map((ip) => address(ip, network.port)));
  return [...new Set(found)].filter((one) => parseAddress(one) !== undefined).slice(0, MOST);
}

/**
 * Of an interface's addresses those that packets will leave from: what is deprecated only where there is nothing else of its kind (RFC 6724 section 5 rule 3), and of a prefix that has
 * temporary ones these alone (rule 7): an answer to a packet for a stable one would come from another address, and who hears of it can tell its owner again next month (RFC 8981).
 */
function worthTelling({ addresses, temporary = [], deprecated = [] }: NetworkInterface): readonly string[] {
  const kindOf = (ip: string): string => (familyOf(ip) === "v4" ? "v4" : prefixOf(ip) >= 0xfc00 ? "local" : "global");
  const usable = addresses.filter(isHostCandidate);
  const lasting = usable.filter((ip) => !deprecated.includes(ip));
  const current = usable.filter((ip) => !deprecated.includes(ip) || !lasting.some((other) => kindOf(other) === kindOf(ip)));
  return current.filter((ip) => {
    const hasTemporary = current.some((other) => temporary.includes(other) && partsOf(other)[0] === partsOf(ip)[0]);
    return hasTemporary ? temporary.includes(ip) : !tracks(ip, current);
  });
}

/** In the order given, IPv6 before IPv4. */
const v6First = <T>(list: readonly T[], family: (of: T) => AddressFamily): readonly T[] => [
  ...list.filter((one) => family(one) === "v6"),
  ...list.filter((one) => family(one) === "v4"),
];

/**
 * An address made of the hardware's (RFC 4291 appendix A) tells where its owner goes; beside one of the same prefix that does not, as those of RFC 7217 and
 * the temporary ones of RFC 8981, it must not be told (RFC 8445 section 5.1.1.1).
 */
function tracks(ip: string, beside: readonly string[]): boolean {
  const [prefix, ofHardware] = partsOf(ip);
  return ofHardware && beside.some((other) => partsOf(other)[0] === prefix && !partsOf(other)[1]);
}

/** The first 64 bits of an IPv6 address and whether the others are a hardware address with ff:fe in it; of an IPv4 one nothing. */
function partsOf(ip: string): readonly [prefix: string, ofHardware: boolean] {
  if (familyOf(ip) === "v4") return [ip, false];
  const [head = "", tail] = ip.split("::");
  const [left, right] = [head.split(":").filter(Boolean), (tail ?? "").split(":").filter(Boolean)];
  const groups = [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill("0"), ...right];
  const words = groups.map((group) => Number.parseInt(group, 16));
  return [words.slice(0, 4).join(":"), ((words[5] ?? 0) & 0xff) === 0xff && (words[6] ?? 0) >> 8 === 0xfe];
}

/** Whether a packet may be sent to an address that a peer named: nothing on this host, on its link alone, to many, or without a port. */
export function isUsable(of: Address): boolean {
  const parts = parseAddress(of);
  if (parts === undefined || parts.port === 0) return false;
  const octets = octetsOf(parts.host);
  if (octets !== undefined) {
    const [a = 0, b = 0] = octets;
    return a !== 0 && a !== 127 && a < 224 && !(a === 169 && b === 254);
  }
  const prefix = prefixOf(parts.host);
  return prefix !== 0 && prefix < 0xfe80;
}

/** A peer's candidates in the order in which they are tried; those that cannot be read or used are skipped. */
export function inOrder(c: Candidates): readonly Candidate[] {
  const all: Candidate[] = [
    ...v6First(c.local, familyOf).map((one): Candidate => ({ address: one, type: "host" })),
    ...(c.mapped === undefined ? [] : [{ address: c.mapped, type: "mapped" } as const]),
    ...(c.reflexive === undefined ? [] : [{ address: c.reflexive, type: "reflexive" } as const]),
  ];
  const seen = new Set<Address>();
  return all.filter(({ address: one }) => isUsable(one) && !seen.has(one) && seen.add(one) !== undefined).slice(0, MOST);
}

/** Whether a filter stands before it that its owner has to open: a NAT's (RFC 4787 section 5), or the firewall of a network with IPv6 (RFC 6092). */
export function isFiltered({ address: of, type }: Candidate): boolean {
  const host = parseAddress(of)?.host ?? "";
  return type === "reflexive" || (type === "host" && host.includes(":") && prefixOf(host) < 0xfc00);
}

export const isSameSet = (a: Candidates, b: Candidates): boolean =>
  a.reflexive === b.reflexive && a.mapped === b.mapped && a.local.join() === b.local.join();

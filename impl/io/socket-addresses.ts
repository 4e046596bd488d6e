/** struct sockaddr to addresses in text and back, by the C library's own words (inet_ntop(3), inet_pton(3)), remembered: most packets come from and go to the same few. */
import { isIPv6 } from "node:net";
import type { Host } from "./quic-engine.ts";

/** socket(7), ip(7), ipv6(7). */
const AF_INET = 2;
export const AF_INET6 = 10;
/** struct sockaddr_in6: family 2, port 2, flow 4, address 16, scope 4. Of sockaddr_in the address follows the port. */
const NAME_BYTES = 28;
const SCOPE_AT = 24;
/** fe80::/10 (RFC 4291 section 2.5.6): the zone is part of the address. */
const isLinkLocal = (name: Uint8Array): boolean => name[8] === 0xfe && ((name[9] as number) & 0xc0) === 0x80;
/** Addresses remembered each way. chosen: many more than a relay has clients; a flood of false ones costs a conversion each and no memory. */
const REMEMBERED = 8_192;

export type SocketAddresses = {
  /** A struct sockaddr, which is not to be changed, without port; undefined: no IP address. */
  name(host: string): Uint8Array | undefined;
  /** What the sockaddr at `at` says, one object for as long as it is remembered; */
  host(names: Buffer, at: number): Host;
};

type Library = { func(prototype: string): (...words: never[]) => unknown };

/** `asShown`: what becomes of an address before it is told. */
export function socketAddresses(library: Library): (asTold: (host: string) => string) => SocketAddresses {
  const toText = library.func("const char *inet_ntop(int family, const void *from, void *to, uint32_t size)") as (
    ...words: unknown[]
  ) => string | null;
  const toOctets = library.func("int inet_pton(int family, const char *from, void *to)") as (...words: unknown[]) => number;
  const zoneName = library.func("const char *if_indextoname(uint32_t index, void *name)") as (
    ...words: unknown[]
  ) => string | null;
  const zoneIndex = library.func("uint32_t if_nametoindex(const char *name)") as (name: string) => number;
  const made = (host: string): Uint8Array | undefined => {
    const [literal = "", zone] = host.split("%");
    const name = new Uint8Array(NAME_BYTES);
    const family = isIPv6(literal) ? AF_INET6 : AF_INET;
    name[0] = family;
    const octets = new Uint8Array(16);
    if (toOctets(family, literal, octets) !== 1) return undefined;
    name.set(family === AF_INET6 ? octets : octets.subarray(0, 4), family === AF_INET6 ? 8 : 4);
    if (zone !== undefined) new DataView(name.buffer).setUint32(SCOPE_AT, zoneIndex(zone), true);
    return name;
  };
  const read = (name: Uint8Array): string => {
    const isV6 = name[0] === AF_INET6;
    const room = new Uint8Array(64);
    const text = toText(name[0], name.slice(isV6 ? 8 : 4, 24), room, room.length) ?? "";
    const scope = isV6 && isLinkLocal(name) ? new DataView(name.buffer, name.byteOffset).getUint32(SCOPE_AT, true) : 0;
    return scope === 0 ? text : `${text}%${zoneName(scope, new Uint8Array(64)) ?? scope}`;
  };
  return (asTold) => {
    const names = new Map<string, Uint8Array | undefined>();
    const hosts = new Map<string, Host>();
    return {
      name: (host) => {
        const known = names.get(host);
        if (known !== undefined) return known;
        const name = made(host);
        if (names.size >= REMEMBERED) names.clear();
        names.set(host, name);
        return name;
      },
      host: (all, at) => {
        const key = all.toString("latin1", at, at + NAME_BYTES);
        const known = hosts.get(key);
        if (known !== undefined) return known;
        const name = new Uint8Array(all.subarray(at, at + NAME_BYTES));
        const host = { host: asTold(read(name)), port: ((name[2] as number) << 8) | (name[3] as number) };
        if (hosts.size >= REMEMBERED) hosts.clear();
        hosts.set(key, host);
        return host;
      },
    };
  };
}

/** Which addresses a host can send to at all, as far as its own addresses tell: an IPv4 one for IPv4, a global IPv6 one for global IPv6 (RFC 6724). */
import { type Address, parseAddress } from "../../base/address.ts";
import type { HostNetwork } from "../effect.ts";

/** What packets from or to an address have in common: they leave this host by addresses of the same kind, or never leave it. */
type Realm = "v4" | "global v6" | "unique local v6" | "this host" | "nowhere";

function realmOf(ip: string): Realm {
  if (!ip.includes(":")) return ip.startsWith("127.") ? "this host" : ip.startsWith("169.254.") ? "nowhere" : "v4";
  if (ip === "::1") return "this host";
  const prefix = ip.startsWith(":") ? 0 : Number.parseInt(ip.split(":")[0] ?? "", 16);
  if (prefix >= 0x2000 && prefix <= 0x3fff) return "global v6"; // RFC 4291
  return prefix >= 0xfc00 && prefix <= 0xfdff ? "unique local v6" : "nowhere"; // RFC 4193
}

/** Whether a network has an address that packets to `to` could leave from. While it has none at all, or nobody has told of it, the next one may. */
export function canReach(network: HostNetwork | undefined, to: Address): boolean {
  const parts = parseAddress(to);
  if (network === undefined || parts === undefined) return true;
  const own = network.interfaces.flatMap((one) => one.addresses.map(realmOf)).filter((one): boolean => one !== "nowhere");
  const realm = realmOf(parts.host);
  return own.length === 0 || realm === "this host" || own.includes(realm);
}

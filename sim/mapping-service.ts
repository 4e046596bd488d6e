/**
 * The port mapping service of a simulated router: answers PCP (RFC 6887) or NAT-PMP (RFC 6886) as its model says, and nothing where it offers neither. One that
 * speaks NAT-PMP refuses PCP as an unknown version, as routers of before PCP do. Left out on purpose: mappings for other hosts, quotas.
 */
import { type Address, address, parseAddress } from "../impl/base/address.ts";
import { Instant, seconds } from "../impl/base/units.ts";
import { encodeNatPmpResponse, NAT_PMP_RESULT, parseNatPmpRequest } from "../impl/wire/nat-pmp.ts";
import { encodePcpResponse, PCP_RESULT, parsePcpRequest } from "../impl/wire/pcp.ts";
import type { Nat } from "./nat.ts";
import { hostOf } from "./remote-scope.ts";

/** Longest mapping it grants, seconds. chosen: a day, as miniupnpd's default (max_lifetime). */
const LONGEST = 86_400;

/** Octets to send back to `from`; undefined: nothing. */
export function answerMapping(
  nat: Nat,
  protocol: "pcp" | "nat-pmp",
  now: Instant,
  from: Address,
  bytes: Uint8Array,
): Uint8Array | undefined {
  const epoch = Math.floor(Instant.between(nat.bootedAt, now) / 1_000_000);
  /** External address and seconds; a lifetime of 0 takes the mapping back. */
  const grant = (internalPort: number, wished: number, lifetime: number): readonly [Address | undefined, number] => {
    const internal = address(hostOf(from), internalPort);
    if (lifetime > 0) return [nat.map(now, internal, wished, seconds(Math.min(lifetime, LONGEST))), Math.min(lifetime, LONGEST)];
    nat.unmap(internal);
    return [address(nat.host, 0), 0];
  };
  if (protocol === "pcp") {
    const asked = parsePcpRequest(bytes);
    if (asked === undefined) return undefined;
    const told = { epoch, nonce: asked.nonce, internalPort: asked.internalPort };
    const refused = (result: number): Uint8Array =>
      encodePcpResponse({ ...told, result, lifetime: 30, externalPort: asked.externalPort, externalHost: asked.externalHost });
    if (asked.client !== hostOf(from)) return refused(PCP_RESULT.addressMismatch);
    const [external, lifetime] = grant(asked.internalPort, asked.externalPort, asked.lifetime);
    const parts = parseAddress(external ?? "");
    if (parts === undefined) return refused(PCP_RESULT.noResources);
    return encodePcpResponse({ ...told, result: 0, lifetime, externalPort: parts.port, externalHost: parts.host });
  }
  const asked = parseNatPmpRequest(bytes);
  if (asked === undefined) return encodeNatPmpResponse({ type: "refused", result: NAT_PMP_RESULT.unsupportedVersion });
  if (asked.type === "address") return encodeNatPmpResponse({ type: "address", epoch, host: nat.host });
  const [external, lifetime] = grant(asked.internalPort, asked.externalPort, asked.lifetime);
  const parts = parseAddress(external ?? "");
  if (parts === undefined) return encodeNatPmpResponse({ type: "refused", result: NAT_PMP_RESULT.outOfResources });
  return encodeNatPmpResponse({ type: "map", epoch, internalPort: asked.internalPort, externalPort: parts.port, lifetime });
}

/** `HOST:PORT` on the command line: a numeric address or a name, IPv6 in brackets. */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { InvalidArgumentError } from "commander";
import { type Address, address } from "../impl/base/address.ts";
import { usage } from "./exit.ts";

export type HostPort = { readonly host: string; readonly port: number };

/** Port 0 is allowed: any free one. */
export function hostPortArgument(text: string): HostPort {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw new InvalidArgumentError("Want HOST:PORT, like 127.0.0.1:4433 or [::1]:4433");
  return { host: match[1] ?? match[2] ?? "", port };
}

/** `hostPortArgument` for a peer, which has a port. */
export function peerArgument(text: string): HostPort {
  const peer = hostPortArgument(text);
  if (peer.port === 0) throw new InvalidArgumentError("Nobody listens on port 0: want 1 to 65535");
  return peer;
}

/** The numeric address of a peer. Throws a usage error when the name does not resolve. */
export async function resolveAddress({ host, port }: HostPort): Promise<Address> {
  return address(await resolveHost(host), port);
}

/** A relay's addresses, one of each family that its name has, in the resolver's order (RFC 6724). Throws a usage error when the name does not resolve. */
export async function resolveRelay({
  host,
  port,
}: HostPort): Promise<{ readonly address: Address; readonly also?: readonly Address[] }> {
  const found = isIP(host) === 0 ? await namesOf(host) : [host];
  const [first = host, ...others] = found.filter((one, index) => found.findIndex((other) => isIP(other) === isIP(one)) === index);
  const also = others.map((one) => address(one, port));
  return { address: address(first, port), ...(also.length === 0 ? {} : { also }) };
}

/** The first IP address of a name, an IP address as it is. Throws a usage error when the name does not resolve. */
export async function resolveHost(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  return (await namesOf(host))[0] ?? host;
}

async function namesOf(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map((one) => one.address);
  } catch (error) {
    throw usage(
      `${host}: cannot be resolved (${error instanceof Error ? error.message : String(error)})`,
      "want a known host or an address",
    );
  }
}

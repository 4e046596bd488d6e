/** Transport addresses as the project writes them everywhere: one string, `192.0.2.1:4433` or `[2001:db8::1]:4433`. */

/** IP address and UDP port in text form; IPv6 in brackets. Comparable with `===`, usable as a Map key. */
export type Address = string & { readonly __address?: never };

export type AddressParts = { readonly host: string; readonly port: number; readonly family: 4 | 6 };

const V4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const V6 = /^[0-9a-fA-F:]*:[0-9a-fA-F:.]*$/;

const isV4 = (host: string): boolean => {
  const match = V4.exec(host);
  return match?.slice(1).every((octet) => Number(octet) <= 255 && String(Number(octet)) === octet) ?? false;
};

const isV6 = (host: string): boolean => {
  if (!V6.test(host) || host.includes(":::") || host.split("::").length > 2) return false;
  const groups = host.split(":").filter((group) => group !== "");
  const full = host.includes("::") ? groups.length <= 7 : groups.length === 8 && !/^:|:$/.test(host);
  return full && groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group));
};

export const address = (host: string, port: number): Address => (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);

export type AddressFamily = "v4" | "v6";

/** Of a host (`192.0.2.1`, `2001:db8::1`) or an address; what is neither has one all the same. */
export const familyOf = (of: string): AddressFamily => (of.indexOf(":") === of.lastIndexOf(":") ? "v4" : "v6");

/** Undefined for anything that is not `a.b.c.d:port` or `[v6]:port` with a port in 0..65535. Never throws. */
export function parseAddress(text: string): AddressParts | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const port = Number(match[3]);
  if (port > 65_535) return undefined;
  const [v6, v4] = [match[1], match[2]];
  if (v6 !== undefined) return isV6(v6) ? { host: v6, port, family: 6 } : undefined;
  return v4 !== undefined && isV4(v4) ? { host: v4, port, family: 4 } : undefined;
}

/**
 * The search of SSDP (UPnP Device Architecture 1.1, section 1.3) for an Internet gateway: asked of everybody, as devices of version 1.0 need it, and of the router alone, where no multicast gets
 * through.
 * What is answered is text from the network: bounded, printable, and nothing of it is used but where the router's description is.
 */
export const SSDP_PORT = 1900;
/** Where everybody who can be searched for listens (section 1.3.2). */
export const SSDP_GROUP = "239.255.255.250";
/** Seconds over which answers to a search of everybody may be spread (section 1.3.2: 1 to 5). */
const MX = 1;
/** Version 1, which devices of version 2 answer to as well (section 1.3.3). */
const GATEWAY = "urn:schemas-upnp-org:device:InternetGatewayDevice:1";
/** chosen: one packet of any network. */
const MOST_BYTES = 1_500;

/** On the router itself. `path` begins with a slash. */
export type Location = { readonly host: string; readonly port: number; readonly path: string };

/** A search (section 1.3.2) to be sent to `host`: SSDP_GROUP, or a router alone. */
export const encodeSearch = (host: string): Uint8Array =>
  Uint8Array.from(
    `M-SEARCH * HTTP/1.1\r\nHOST: ${host}:${SSDP_PORT}\r\nMAN: "ssdp:discover"\r\n${host === SSDP_GROUP ? `MX: ${MX}\r\n` : ""}ST: ${GATEWAY}\r\n\r\n`,
    (letter) => letter.charCodeAt(0),
  );

/** Whether a packet is to be shown to whoever searches: its first octet alone is that of a QUIC packet (RFC 9000 section 17.3). */
export const isSearchResponse = (bytes: Uint8Array, fromPort: number): boolean =>
  fromPort === SSDP_PORT && [0x48, 0x54, 0x54, 0x50, 0x2f].every((octet, index) => bytes[index] === octet); // "HTTP/"

/** Where the gateway's description is. Undefined for anything but the answer of a gateway. Never throws. */
export function parseSearchResponse(bytes: Uint8Array): Location | undefined {
  if (
    bytes.length > MOST_BYTES ||
    bytes.some((octet) => octet > 0x7e || (octet < 0x20 && !(octet === 13 || octet === 10 || octet === 9)))
  )
    return undefined;
  const [status = "", ...lines] = String.fromCharCode(...bytes).split("\r\n");
  if (!/^HTTP\/1\.1 200( |$)/.test(status)) return undefined;
  const header = (name: string): string | undefined =>
    lines
      .find((line) => line.slice(0, name.length + 1).toLowerCase() === `${name}:`)
      ?.slice(name.length + 1)
      .trim();
  return header("st") === GATEWAY ? parseLocation(header("location") ?? "") : undefined;
}

/** An `http` URL of an IPv4 address, which is all that a description in this network needs. */
export function parseLocation(url: string): Location | undefined {
  const [, host, port = "80", path = "/"] =
    /^http:\/\/(\d{1,3}(?:\.\d{1,3}){3})(?::(\d{1,5}))?(\/[\x21-\x7e]{0,255})?$/i.exec(url) ?? [];
  return host === undefined || Number(port) < 1 || Number(port) > 65_535 ? undefined : { host, port: Number(port), path };
}

/**
 * What a UPnP Internet gateway is asked and answers (UPnP Device Architecture 1.1, sections 2 and 3; WANIPConnection:1 and :2, WANPPPConnection:1): its description, and three actions in SOAP. Everything that comes
 * is XML from the network: parsed by a library without entities of its own, bounded before, and of what is in it only what has the form expected is used.
 */
import { DOMParser, type Element } from "@xmldom/xmldom";
import { type Location, parseLocation } from "./ssdp.ts";

/** chosen: descriptions of routers have 2 to 20 kB. */
export const MOST_XML: number = 65_536;

/** Where mappings are asked for. `type` is the service's URN. */
export type ControlPoint = { readonly type: string; readonly path: string };
/** Of WANIPConnection:1, section 2.4; `fault`: the router's errorCode, 0 when it tells none. */
export type ActionResult =
  | { readonly ok: true; readonly arguments: ReadonlyMap<string, string> }
  | { readonly ok: false; readonly fault: number };
/** Section 2.4.16 of WANIPConnection:1; 725: it grants mappings without end only. */
export const IGD_FAULT = { conflict: 718, permanentOnly: 725 } as const;

const CONNECTION = /^urn:schemas-upnp-org:service:WAN(?:IPConnection:[12]|PPPConnection:1)$/;

function parse(xml: string): Element | undefined {
  if (xml.length > MOST_XML || xml.includes("<!DOCTYPE")) return undefined;
  try {
    const refuse = (_: string, message: string): never => {
      throw new SyntaxError(message);
    };
    return new DOMParser({ onError: refuse }).parseFromString(xml, "text/xml").documentElement ?? undefined;
  } catch {
    return undefined;
  }
}
const all = (within: Element, name: string): Element[] => [...within.getElementsByTagNameNS("*", name)];
const textOf = (within: Element, name: string): string => all(within, name)[0]?.textContent?.trim() ?? "";

/** The first service of the description at `at` that gives mappings. Undefined when there is none, or it is on another host. Never throws. */
export function parseDescription(xml: string, at: Location): ControlPoint | undefined {
  const root = parse(xml);
  for (const service of root === undefined ? [] : all(root, "service")) {
    const [type, url] = [textOf(service, "serviceType"), textOf(service, "controlURL")];
    const place = parseLocation(url.startsWith("/") ? `http://${at.host}:${at.port}${url}` : url);
    if (CONNECTION.test(type) && place?.host === at.host && place.port === at.port) return { type, path: place.path };
  }
  return undefined;
}

/** The body of a SOAP request (section 3.2.1). Arguments are ours and need no escaping: names of the service, numbers, addresses. */
export const encodeAction = (type: string, action: string, given: Readonly<Record<string, string | number>>): string =>
  '<?xml version="1.0"?>\r\n<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>' +
  `<u:${action} xmlns:u="${type}">${Object.entries(given)
    .map(([name, value]) => `<${name}>${value}</${name}>`)
    .join("")}</u:${action}></s:Body></s:Envelope>\r\n`;

/** The answer to `action`. Never throws. */
export function parseActionResult(action: string, status: number, xml: string): ActionResult {
  const root = parse(xml);
  const answer = root === undefined ? undefined : all(root, `${action}Response`)[0];
  if (status !== 200 || answer === undefined) {
    const code = root === undefined ? "" : textOf(root, "errorCode");
    return { ok: false, fault: /^\d{3}$/.test(code) ? Number(code) : 0 };
  }
  const values = [...answer.childNodes].flatMap((node): [string, string][] =>
    node.localName === null || node.localName === undefined ? [] : [[node.localName, node.textContent?.trim() ?? ""]],
  );
  return { ok: true, arguments: new Map(values) };
}

/**
 * A simulated router's UPnP-IGD (WANIPConnection:1) and the HTTP that a party speaks with it. A search is answered as by a real device; a request and its answer are one packet each, said again until it is
 * answered: what TCP comes to, less its handshake. Left out on purpose: mappings for other hosts, events, IPv6.
 */
import { type Address, address, parseAddress } from "../impl/base/address.ts";
import { type Instant, type Micros, millis, seconds } from "../impl/base/units.ts";
import type { HttpRequest, HttpResponse } from "../impl/core/effect.ts";
import { IGD_FAULT } from "../impl/wire/igd.ts";
import { SSDP_GROUP, SSDP_PORT } from "../impl/wire/ssdp.ts";
import type { Nat } from "./nat.ts";
import { hostOf } from "./remote-scope.ts";

/** As miniupnpd's by default where none is told. */
const HTTP_PORT = 5_000;
const SERVICE = "urn:schemas-upnp-org:service:WANIPConnection:1";
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const octets = (text: string): Uint8Array => encoder.encode(text);

const DESCRIPTION = `<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><deviceList><device><serviceList>
<service><serviceType>urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1</serviceType><controlURL>/ctl/CmnIfCfg</controlURL></service>
<service><serviceType>${SERVICE}</serviceType><controlURL>/ctl/IPConn</controlURL></service></serviceList></device></deviceList></device></root>`;

const soap = (status: number, body: string): HttpResponse => ({
  status,
  body: `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${body}</s:Body></s:Envelope>`,
});
const fault = (code: number): HttpResponse =>
  soap(
    500,
    `<s:Fault><detail><UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>${code}</errorCode></UPnPError></detail></s:Fault>`,
  );
const done = (action: string, given = ""): HttpResponse =>
  soap(200, `<u:${action}Response xmlns:u="${SERVICE}">${given}</u:${action}Response>`);

/**
 * What the router at `gateway` sends back to `from`, who has sent `bytes` to one of its ports; undefined: nothing, as nobody listens there. A search is answered when it was sent
 * to everybody, as by a device of UPnP 1.0, which knows no other.
 */
export function answerGateway(
  nat: Nat,
  gateway: string,
  now: Instant,
  from: Address,
  to: Address,
  bytes: Uint8Array,
): Uint8Array | undefined {
  const { host, port } = parseAddress(to) ?? { host: "", port: 0 };
  if (port === SSDP_PORT) {
    if (host !== SSDP_GROUP) return undefined;
    const [, target] = /^M-SEARCH \* HTTP\/1\.1\r\n[\s\S]*\r\nST: ([^\r]+)\r\n/.exec(decoder.decode(bytes)) ?? [];
    return target === undefined
      ? undefined
      : octets(
          `HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: ${target}\r\nEXT:\r\nLOCATION: http://${gateway}:${HTTP_PORT}/rootDesc.xml\r\n\r\n`,
        );
  }
  if (port !== HTTP_PORT) return undefined;
  const asked = JSON.parse(decoder.decode(bytes)) as HttpRequest;
  return octets(JSON.stringify({ id: asked.id, response: served(nat, now, hostOf(from), asked) }));
}

function served(nat: Nat, now: Instant, host: string, { path, soap: call }: HttpRequest): HttpResponse {
  if (call === undefined) return path === "/rootDesc.xml" ? { status: 200, body: DESCRIPTION } : { status: 404, body: "" };
  const action = call.action.slice(call.action.indexOf("#") + 1, -1);
  const given = (name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(call.body)?.[1] ?? "";
  const external = Number(given("NewExternalPort"));
  switch (action) {
    case "GetExternalIPAddress":
      return done(action, `<NewExternalIPAddress>${nat.host}</NewExternalIPAddress>`);
    case "AddPortMapping": {
      // 606: not for another host (secure mode). A mapping without end is one of a week, the longest that version 2 knows.
      if (given("NewInternalClient") !== host) return fault(606);
      const internal = address(host, Number(given("NewInternalPort")));
      const made = nat.map(now, internal, external, seconds(Number(given("NewLeaseDuration")) || 604_800), true);
      return made === address(nat.host, external) ? done(action) : fault(IGD_FAULT.conflict);
    }
    case "DeletePortMapping":
      // 714: no such mapping. One host has one mapping in this model, so its port is the socket's.
      return nat.unmapExternal(address(nat.host, external)) ? done(action) : fault(714);
    default:
      return fault(401);
  }
}

/** A request is said again so often. chosen: the initial timeout of TCP is a second, and a router in the house is nearer. */
const AGAIN: Micros = millis(300);
const TRIES = 10;

/** A party's HTTP: `send` puts octets on a socket of its own to an address. */
export class SimHttp {
  readonly #send: (to: Address, bytes: Uint8Array) => void;
  readonly #after: (length: Micros, action: () => void) => unknown;
  readonly #open = new Map<number, (response: HttpResponse | undefined) => void>();

  constructor(send: (to: Address, bytes: Uint8Array) => void, after: (length: Micros, action: () => void) => unknown) {
    this.#send = send;
    this.#after = after;
  }

  ask(request: HttpRequest, answered: (response: HttpResponse | undefined) => void): void {
    this.#open.set(request.id, answered);
    const say = (tries: number): void => {
      if (!this.#open.has(request.id)) return;
      if (tries === TRIES) return this.#end(request.id, undefined);
      this.#send(request.to, octets(JSON.stringify(request)));
      this.#after(AGAIN, () => say(tries + 1));
    };
    say(0);
  }

  received(bytes: Uint8Array): void {
    const { id, response } = JSON.parse(decoder.decode(bytes)) as { readonly id: number; readonly response: HttpResponse };
    this.#end(id, response);
  }

  #end(id: number, response: HttpResponse | undefined): void {
    const answered = this.#open.get(id);
    this.#open.delete(id);
    answered?.(response);
  }
}

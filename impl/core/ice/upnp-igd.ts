/**
 * Asks a router that knows neither PCP nor NAT-PMP for the one socket's port by UPnP-IGD: found by SSDP from that socket, by multicast and by unicast, then its description, its external address and the mapping by HTTP. Only the
 * router that has the default route is asked, and only what is on its own address is believed. One mapping at a time: renewed at half its life, taken back when no call needs it. A router
 * that does not answer or refuses is asked no more until the network changes.
 */
import { type Address, address, parseAddress } from "../../base/address.ts";
import { Instant, Micros, millis } from "../../base/units.ts";
import type { View } from "../../base/view.ts";
import { type ControlPoint, encodeAction, IGD_FAULT, parseActionResult, parseDescription } from "../../wire/igd.ts";
import { encodeSearch, type Location, parseSearchResponse, SSDP_GROUP, SSDP_PORT } from "../../wire/ssdp.ts";
import type { HostNetwork, HttpRequest, HttpResponse } from "../effect.ts";

type Place = { readonly router: string; readonly own: string; readonly port: number };
type Mapping = { readonly host: string; readonly port: number; readonly lifetime: number };

export type State = {
  readonly place: Place | undefined;
  readonly isWanted: boolean;
  readonly at: "idle" | "searching" | "describing" | "addressing" | "mapping" | "mapped" | "silent";
  /** Searches sent, or ports tried. */
  readonly tries: number;
  readonly dueAt: Instant | undefined;
  readonly location: Location | undefined;
  readonly control: ControlPoint | undefined;
  /** Of the request that is under way: answers to others come too late. */
  readonly request: number;
  /** What is asked for, and then what there is. */
  readonly mapping: Mapping;
};

export type Input =
  | { readonly type: "network"; readonly network: HostNetwork }
  | { readonly type: "want" }
  | { readonly type: "release" }
  | { readonly type: "found"; readonly bytes: Uint8Array }
  /** Undefined: nobody answered. */
  | { readonly type: "http"; readonly id: number; readonly response: HttpResponse | undefined }
  | { readonly type: "wake" };

export type Effect =
  | { readonly type: "packet"; readonly to: Address; readonly bytes: Uint8Array }
  | { readonly type: "http"; readonly request: HttpRequest }
  | { readonly type: "mapped"; readonly address: Address | undefined }
  | { readonly type: "unexpected" };

type Step = readonly [State, readonly Effect[]];

/** Seconds. chosen: as for the other two protocols (port-mapping.ts). */
const LIFETIME = 1_800;
/** A search that is not answered is said again after this, so often. chosen: longer than the second that answers to it may be spread over; one of three gets through. */
const SEARCH_AGAIN: Micros = millis(1_200);
const SEARCHES = 3;
/** External ports tried when others have them. chosen: a few; who finds them all taken does without. */
const PORTS = 4;
/** Registered ports and above (RFC 6335 section 6): a router may keep the lower ones to itself. */
const LOWEST_PORT = 1_024;

export const start = (): State => ({
  ...{ place: undefined, isWanted: false, at: "idle", tries: 0, dueAt: undefined, location: undefined, control: undefined },
  ...{ request: 0, mapping: { host: "", port: 0, lifetime: LIFETIME } },
});

export const deadline = (s: State): Instant | undefined => s.dueAt;
/** Whether a packet is from the router's SSDP: nobody else's is looked at. */
export const isRouters = (s: State, from: Address): boolean =>
  s.place !== undefined && from === address(s.place.router, SSDP_PORT);
export const view = (s: State): View => ({
  at: s.at,
  mapped: s.at === "mapped" ? address(s.mapping.host, s.mapping.port) : null,
});

const LOST: Effect = { type: "mapped", address: undefined };

export function step(s: State, now: Instant, input: Input): Step {
  switch (input.type) {
    case "network": {
      const place = placeOf(input.network);
      if (JSON.stringify(place) === JSON.stringify(s.place)) return [s, []];
      const [next, effects] = begin({ ...start(), place, isWanted: s.isWanted, request: s.request + 1 }, now);
      return [next, [...(s.at === "mapped" ? [LOST] : []), ...effects]];
    }
    case "want":
      return s.isWanted ? [s, []] : begin({ ...s, isWanted: true }, now);
    case "release":
      return release(s);
    case "found": {
      const location = parseSearchResponse(input.bytes);
      if (s.at !== "searching") return [s, []]; // a router answers a search more than once
      if (location === undefined || location.host !== s.place?.router) return [s, [{ type: "unexpected" }]];
      return get({ ...s, at: "describing", location });
    }
    case "http":
      return input.id === s.request ? answered(s, now, input.response) : [s, []];
    case "wake":
      if (s.dueAt === undefined || now < s.dueAt) return [s, []];
      if (s.at === "searching") return s.tries < SEARCHES ? search(s, now) : silent(s);
      return s.at === "mapped" ? map({ ...s, tries: 0 }) : [s, []];
  }
}

function placeOf({ port, interfaces, gateway }: HostNetwork): Place | undefined {
  const own = interfaces.find((one) => one.isDefault)?.addresses.find((one) => parseAddress(address(one, port))?.family === 4);
  return gateway === undefined || own === undefined ? undefined : { router: gateway, own, port };
}

const begin = (s: State, now: Instant): Step =>
  s.place === undefined || !s.isWanted || s.at === "silent" ? [s, []] : search({ ...s, tries: 0 }, now);

function search(s: State, now: Instant): Step {
  if (s.place === undefined) return [s, []];
  const { router } = s.place;
  const next: State = { ...s, at: "searching", tries: s.tries + 1, dueAt: Instant.after(now, SEARCH_AGAIN) };
  // Whoever answers, only the router's own word counts.
  const search = (host: string): Effect => ({ type: "packet", to: address(host, SSDP_PORT), bytes: encodeSearch(host) });
  return [next, [search(SSDP_GROUP), search(router)]];
}

/** It is asked no more; a mapping there was ends by itself. */
const silent = (s: State): Step => [{ ...s, at: "silent", dueAt: undefined }, s.at === "mapped" ? [LOST] : []];

function get(s: State): Step {
  if (s.location === undefined) return [s, []];
  const { host, port, path } = s.location;
  const id = s.request + 1;
  return [{ ...s, request: id, dueAt: undefined }, [{ type: "http", request: { id, to: address(host, port), path } }]];
}

function act(s: State, action: string, given: Readonly<Record<string, string | number>>): Step {
  if (s.location === undefined || s.control === undefined) return [s, []];
  const { type, path } = s.control;
  const id = s.request + 1;
  const to = address(s.location.host, s.location.port);
  const request: HttpRequest = { id, to, path, soap: { action: `"${type}#${action}"`, body: encodeAction(type, action, given) } };
  return [{ ...s, request: id, dueAt: undefined }, [{ type: "http", request }]];
}

function map(s: State): Step {
  if (s.place === undefined) return [s, []];
  const { own, port } = s.place;
  return act(s, "AddPortMapping", {
    ...{ NewRemoteHost: "", NewExternalPort: s.mapping.port, NewProtocol: "UDP", NewInternalPort: port, NewInternalClient: own },
    ...{ NewEnabled: 1, NewPortMappingDescription: "midcall", NewLeaseDuration: s.mapping.lifetime },
  });
}

function release(s: State): Step {
  const free: State = {
    ...s,
    isWanted: false,
    at: s.at === "silent" ? "silent" : "idle",
    dueAt: undefined,
    request: s.request + 1,
  };
  if (s.at !== "mapped" && s.at !== "mapping") return [free, []];
  // Whether it is answered does not matter: nobody waits for it.
  return act(free, "DeletePortMapping", { NewRemoteHost: "", NewExternalPort: s.mapping.port, NewProtocol: "UDP" });
}

function answered(s: State, now: Instant, response: HttpResponse | undefined): Step {
  const [status, body] = [response?.status ?? 0, response?.body ?? ""];
  switch (s.at) {
    case "describing": {
      const control = status === 200 && s.location !== undefined ? parseDescription(body, s.location) : undefined;
      return control === undefined ? silent(s) : act({ ...s, at: "addressing", control }, "GetExternalIPAddress", {});
    }
    case "addressing": {
      const result = parseActionResult("GetExternalIPAddress", status, body);
      const host = result.ok ? (result.arguments.get("NewExternalIPAddress") ?? "") : "";
      if (parseAddress(address(host, 1))?.family !== 4 || host === "0.0.0.0") return silent(s);
      return map({ ...s, at: "mapping", tries: 0, mapping: { ...s.mapping, host, port: s.place?.port ?? 0 } });
    }
    case "mapping":
    case "mapped": {
      const result = parseActionResult("AddPortMapping", status, body);
      if (result.ok) return granted(s, now);
      if (result.fault === IGD_FAULT.permanentOnly && s.mapping.lifetime > 0)
        return map({ ...s, mapping: { ...s.mapping, lifetime: 0 } });
      if (result.fault !== IGD_FAULT.conflict || s.tries >= PORTS) return silent(s);
      // Somebody else behind this router has it. chosen: another one far away, which two that collide do not choose together.
      const own = Number(s.place?.own.split(".")[3] ?? 0);
      const port = LOWEST_PORT + ((s.mapping.port + 7_919 * (own + 1)) % (65_536 - LOWEST_PORT));
      return map({ ...s, at: "mapping", tries: s.tries + 1, mapping: { ...s.mapping, port } });
    }
    default:
      return [s, []];
  }
}

function granted(s: State, now: Instant): Step {
  const { host, port, lifetime } = s.mapping;
  const dueAt = lifetime === 0 ? undefined : Instant.after(now, Micros(lifetime * 500_000));
  const effects: readonly Effect[] = s.at === "mapped" ? [] : [{ type: "mapped", address: address(host, port) }];
  return [{ ...s, at: "mapped", dueAt }, effects];
}

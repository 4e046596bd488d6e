/**
 * Asks the router to let everybody in on the one socket's port: PCP (RFC 6887) first, NAT-PMP (RFC 6886) where the router says it knows no PCP or says nothing, over
 * the socket itself. One mapping at a time: confirmed with every gathering, renewed at half its life, taken back when no call needs it. A router that answers
 * neither is asked no more until the network changes. Left out on purpose: PCP over IPv6, where there is nothing to translate; the announcements that routers
 * send to everybody after a restart.
 */
import { type Address, address, parseAddress } from "../../base/address.ts";
import { sameBytes } from "../../base/cursor.ts";
import { Instant, Micros, millis } from "../../base/units.ts";
import type { View } from "../../base/view.ts";
import { encodeNatPmpRequest, NAT_PMP_RESULT, parseNatPmpResponse } from "../../wire/nat-pmp.ts";
import { encodePcpRequest, NONCE_BYTES, PCP_RESULT, PORT_MAPPING_PORT, parsePcpResponse } from "../../wire/pcp.ts";
import type { HostNetwork } from "../effect.ts";

export type Config = {
  /** Fresh random octets. */
  readonly entropy: (length: number) => Uint8Array;
};

/** Whom we ask, and for what: the router, our address on its side, the socket's port. */
type Place = { readonly router: Address; readonly own: string; readonly port: number };
type Lease = { readonly address: Address; readonly renewAt: Instant; readonly until: Instant };

export type State = {
  /** Undefined: no router that could be asked. */
  readonly place: Place | undefined;
  /** Names our mapping in every PCP request about it (RFC 6887 section 11.2). */
  readonly nonce: Uint8Array;
  readonly isWanted: boolean;
  /** `silent`: it does not know either, or does not want to. */
  readonly router: "unknown" | "pcp" | "nat-pmp" | "silent";
  readonly lease: Lease | undefined;
  /** What NAT-PMP has told so far: address and mapping are two answers. */
  readonly half: { readonly host: string | undefined; readonly port: number | undefined; readonly lifetime: number };
  /** While an answer is waited for: when to ask again, and how often that has been done. */
  readonly asking: { readonly at: Instant; readonly tries: number } | undefined;
};

export type Input =
  | { readonly type: "network"; readonly network: HostNetwork }
  /** Somebody gathers candidates. */
  | { readonly type: "want" }
  /** Nobody needs the mapping any more. */
  | { readonly type: "release" }
  | { readonly type: "response"; readonly from: Address; readonly bytes: Uint8Array }
  | { readonly type: "wake" };

export type Effect =
  | { readonly type: "packet"; readonly to: Address; readonly bytes: Uint8Array }
  /** The socket is reached at this address from now on; undefined: no longer. */
  | { readonly type: "mapped"; readonly address: Address | undefined }
  /** The response was to no question of ours. */
  | { readonly type: "unexpected" };

/** Seconds asked for. chosen: longer than most calls, and what a client that dies leaves behind is gone in half an hour (RFC 6886 section 3.3 suggests two hours). */
const LIFETIME = 1_800;
/** A router that has not answered is asked again after this, then twice as long each time (RFC 6886 section 3.1: 250 ms). */
const ASK_AGAIN: Micros = millis(250);
/** chosen: asked five times within 4 s; RFC 6886 goes on for a minute, but the offer is long gone by then. */
const TRIES = 5;

const NOTHING: State["half"] = { host: undefined, port: undefined, lifetime: 0 };

export const start = (): State => ({
  ...{ place: undefined, nonce: new Uint8Array(NONCE_BYTES), isWanted: false, router: "unknown" },
  ...{ lease: undefined, half: NOTHING, asking: undefined },
});

export const deadline = (s: State): Instant | undefined =>
  Instant.earliest(s.asking?.at, s.lease?.until, s.asking === undefined ? s.lease?.renewAt : undefined);

/** Whether a packet is from the router's mapping service: nobody else's is looked at. */
export const isRouters = (s: State, from: Address): boolean => s.place !== undefined && from === s.place.router;

/** It has been asked twice and has said nothing, or has refused: it may speak something else. */
export const isUnanswered = ({ router, asking, lease }: State): boolean =>
  router === "silent" || (router === "unknown" && lease === undefined && (asking?.tries ?? 0) >= 2);

export const view = (s: State): View => ({ router: s.router, mapped: s.lease?.address ?? null, asking: s.asking !== undefined });

export function step(c: Config, s: State, now: Instant, input: Input): readonly [State, readonly Effect[]] {
  switch (input.type) {
    case "network": {
      const place = placeOf(input.network);
      if (JSON.stringify(place) === JSON.stringify(s.place)) return [s, []];
      // The router of before cannot be told from here; its mapping ends by itself.
      const next = { ...start(), place, nonce: c.entropy(NONCE_BYTES), isWanted: s.isWanted };
      const [asked, effects] = s.isWanted ? ask(next, now, 0) : [next, []];
      return [asked, [...(s.lease === undefined ? [] : [LOST]), ...effects]];
    }
    case "want": {
      const wanted = { ...s, isWanted: true };
      return s.place === undefined || s.asking !== undefined || s.router === "silent" ? [wanted, []] : ask(wanted, now, 0);
    }
    case "release": {
      const released: State = { ...s, isWanted: false, lease: undefined, asking: undefined, half: NOTHING };
      return [released, s.lease === undefined && s.asking === undefined ? [] : requests(s, 0)];
    }
    case "response":
      return isRouters(s, input.from) ? answered(s, now, input.bytes) : [s, [{ type: "unexpected" }]];
    case "wake":
      if (s.lease !== undefined && now >= s.lease.until)
        return combine({ ...s, lease: undefined }, [LOST], (t) => ask(t, now, 0));
      if (s.asking !== undefined) return now < s.asking.at ? [s, []] : ask(s, now, s.asking.tries);
      return s.lease === undefined || now < s.lease.renewAt ? [s, []] : ask(s, now, 0);
  }
}

const LOST: Effect = { type: "mapped", address: undefined };

const combine = (s: State, first: readonly Effect[], then: (s: State) => readonly [State, readonly Effect[]]) => {
  const [next, effects] = then(s);
  return [next, [...first, ...effects]] as const;
};

/** The router that has the default route, and our IPv4 address on that interface. */
function placeOf({ port, interfaces, gateway }: HostNetwork): Place | undefined {
  const way = interfaces.find((one) => one.isDefault);
  const own = way?.addresses.find((one) => parseAddress(address(one, port))?.family === 4);
  if (gateway === undefined || own === undefined) return undefined;
  return { router: address(gateway, PORT_MAPPING_PORT), own, port };
}

/** Requests for the mapping in the router's language; in both where that is not known and PCP alone has had no answer. */
function requests({ place, nonce, router, lease }: State, lifetime: number, tries = 0): readonly Effect[] {
  if (place === undefined) return [];
  const { router: to, own, port } = place;
  const wished = parseAddress(lease?.address ?? "");
  const pcp = encodePcpRequest({
    ...{ client: own, nonce, lifetime, internalPort: port },
    ...{ externalPort: wished?.port ?? port, externalHost: wished?.host ?? "0.0.0.0" },
  });
  const map = { type: "map", internalPort: port, externalPort: lifetime === 0 ? 0 : (wished?.port ?? port), lifetime } as const;
  const pmp = [...(lifetime === 0 ? [] : [{ type: "address" } as const]), map].map(encodeNatPmpRequest);
  const both = router === "unknown" && tries > 0 ? [pcp, ...pmp] : [pcp];
  return (router === "nat-pmp" ? pmp : both).map((bytes): Effect => ({ type: "packet", to, bytes }));
}

function ask(s: State, now: Instant, tries: number): readonly [State, readonly Effect[]] {
  if (s.place === undefined || !s.isWanted) return [{ ...s, asking: undefined }, []];
  if (tries >= TRIES) return [gaveUp(s, now), []];
  const asking = { at: Instant.after(now, Micros(ASK_AGAIN * 2 ** tries)), tries: tries + 1 };
  return [{ ...s, asking, half: tries === 0 ? NOTHING : s.half }, requests(s, LIFETIME, tries)];
}

/** A mapping that could not be renewed is tried for again at half of what is left (RFC 6887 section 11.2.1). */
function gaveUp(s: State, now: Instant): State {
  const { lease } = s;
  if (lease === undefined) return { ...s, asking: undefined, router: "silent" };
  const renewAt = Instant.after(now, Micros(Math.ceil(Instant.between(now, lease.until) / 2)));
  return { ...s, asking: undefined, lease: { ...lease, renewAt } };
}

function answered(s: State, now: Instant, bytes: Uint8Array): readonly [State, readonly Effect[]] {
  if (s.asking === undefined || s.place === undefined) return [s, s.isWanted ? [{ type: "unexpected" }] : []];
  const pcp = parsePcpResponse(bytes);
  if (pcp !== undefined) {
    if (!sameBytes(pcp.nonce, s.nonce) || pcp.internalPort !== s.place.port) return [s, [{ type: "unexpected" }]];
    const known: State = { ...s, router: "pcp" };
    if (pcp.result === PCP_RESULT.success) return granted(known, now, address(pcp.externalHost, pcp.externalPort), pcp.lifetime);
    return [pcp.result === PCP_RESULT.unsupportedVersion ? s : gaveUp(known, now), []];
  }
  const pmp = parseNatPmpResponse(bytes);
  if (pmp === undefined || s.router === "pcp") return [s, [{ type: "unexpected" }]];
  if (pmp.type === "refused") {
    const isForPcp = s.router === "unknown" && pmp.result === NAT_PMP_RESULT.unsupportedVersion;
    return isForPcp ? ask({ ...s, router: "nat-pmp" }, now, 0) : [gaveUp(s, now), []];
  }
  if (pmp.type === "map" && pmp.internalPort !== s.place.port) return [s, [{ type: "unexpected" }]];
  const half =
    pmp.type === "address" ? { ...s.half, host: pmp.host } : { ...s.half, port: pmp.externalPort, lifetime: pmp.lifetime };
  const known: State = { ...s, router: "nat-pmp", half };
  if (half.host === undefined || half.port === undefined) return [known, []];
  return granted(known, now, address(half.host, half.port), half.lifetime);
}

function granted(s: State, now: Instant, at: Address, lifetime: number): readonly [State, readonly Effect[]] {
  if (lifetime === 0) return [gaveUp(s, now), []];
  const before = s.lease?.address;
  const length = lifetime * 1_000_000;
  const lease = { address: at, renewAt: Instant.after(now, Micros(length / 2)), until: Instant.after(now, Micros(length)) };
  return [{ ...s, lease, asking: undefined, half: NOTHING }, before === at ? [] : [{ type: "mapped", address: at }]];
}

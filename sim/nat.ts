/**
 * A network address translator for UDP over IPv4 after RFC 4787: three mappings by three filterings, port policies, hairpinning,
 * lifetimes, mappings on request, and the accidents that happen to it: rebinding, renumbering, expiry. Filtering state belongs to the EXTERNAL mapping; kept by inside
 * endpoint, a port-restricted and a symmetric NAT would wrongly punch through to each other.
 * A NAT that gives out blocks of ports has to know its subscribers (`admit`): who has no block, or has used up its own, gets no further mapping.
 * Left out on purpose: port overloading (REQ-3 forbids it), port parity and contiguity (REQ-4), address pools (REQ-2), ICMP.
 */
import { type Address, address } from "../impl/base/address.ts";
import type { Randomness } from "../impl/base/random.ts";
import { Instant, type Micros } from "../impl/base/units.ts";
import type { NatModel } from "../scenarios/expanded.ts";
import { FIRST_PORT, type PortRange, portsOf } from "../scenarios/port-block.ts";
import { hostOf, scope } from "./remote-scope.ts";

/** A packet refused. `fault` names the rebind, renumber or expire that took the state it needed. */
export type Refusal = {
  readonly ok: false;
  readonly cause: "nat-filtering" | "nat-no-mapping" | "nat-exhausted" | "no-route";
  readonly fault: number | undefined;
};
/** A packet on its way out; `fault` is set when a fault gave it another external address than it had. */
export type Outbound = { readonly ok: true; readonly source: Address; readonly fault: number | undefined };
export type Inbound = { readonly ok: true; readonly destination: Address };
export type Hairpin = { readonly ok: true; readonly source: Address; readonly destination: Address };

/** A live mapping as an observer sees it. `remote` is "" (any), a host, or a transport address, by the mapping behaviour. */
export type MappingView = {
  readonly internal: Address;
  readonly remote: string;
  readonly external: Address;
  readonly usedAt: Instant;
};

type Mapping = {
  readonly internal: Address;
  readonly remote: string;
  readonly external: Address;
  /** Last packet that refreshed it. */
  used: Instant;
  /** Remotes let in (hosts or addresses, by the filtering behaviour) and when each was last refreshed. */
  readonly allowed: Map<string, Instant>;
  /** Remotes that a fault shut out of this external address. */
  readonly shutOut: Lost | undefined;
  readonly outbound: Outbound;
  readonly inbound: Inbound;
};

/** A mapping that the inside asked for (RFC 6887 section 11): anybody may come in, and those who did are answered from the same address. */
type Explicit = { readonly external: Address; readonly inbound: Inbound; until: Instant; readonly guests: Set<Address> };

/** What a fault took: the external address and who was let in there. */
type Lost = { readonly fault: number | undefined; readonly external: Address; readonly allowed: ReadonlySet<string> };

/** First port of the sequential policy. chosen: in the dynamic range and easy to recognise in a log. */
const SEQUENTIAL_FROM = 50_000;
/** Mappings, dead or alive, before the first sweep. chosen: above what a call makes, so that most NATs never sweep. */
const SWEEP_FROM = 64;

const portOf = (of: Address): number => Number(of.slice(of.lastIndexOf(":") + 1));

export class Nat {
  readonly name: string;
  readonly #model: NatModel;
  readonly #randomness: Randomness;
  #host: string;
  /** Inside endpoint, then remote scope. */
  readonly #byInternal: Map<Address, Map<string, Mapping>> = new Map();
  readonly #byExternal: Map<Address, Mapping> = new Map();
  readonly #explicit: Map<Address, Explicit> = new Map();
  readonly #explicitByExternal: Map<Address, Explicit> = new Map();
  /** External addresses that a rebind made dead: never used again. */
  readonly #dead: Set<Address> = new Set();
  readonly #lostByExternal: Map<Address, Lost> = new Map();
  readonly #lostByInternal: Map<string, Lost> = new Map();
  /** How often each mapping has been made, so that its random port depends on nothing else. */
  readonly #made: Map<string, number> = new Map();
  /** When it last lost its state: mappings on request made before that are gone (RFC 6887 section 8.5). */
  #bootedAt = Instant(0);
  #nextSequential = SEQUENTIAL_FROM;
  #sweepAt = SWEEP_FROM;
  readonly #touched: Map<number, number> = new Map();
  /** Numbers of inside hosts, where ports come in blocks. */
  readonly #subscribers: Map<string, number> = new Map();

  /** `host` is the external IPv4 address. The model is trusted to be valid (scenarios check it). */
  constructor(name: string, model: NatModel, host: string, randomness: Randomness) {
    this.name = name;
    this.#model = model;
    this.#host = host;
    this.#randomness = randomness;
  }

  /** The external address, without a port. */
  get host(): string {
    return this.#host;
  }

  get bootedAt(): Instant {
    return this.#bootedAt;
  }

  /** Counts an inside host among the subscribers: the next one; `instead` of another, it takes over that one's number. */
  admit(host: string, instead?: string): void {
    const number = instead === undefined ? undefined : this.#subscribers.get(instead);
    this.#subscribers.set(host, number ?? this.#subscribers.size);
  }

  /** Translates a packet from inside to outside and opens the way back. Refused only when every port it may have is taken. */
  outbound(now: Instant, source: Address, destination: Address): Outbound | Refusal {
    const explicit = this.#explicit.get(source);
    if (explicit !== undefined && now < explicit.until && explicit.guests.has(destination))
      return { ok: true, source: explicit.external, fault: undefined };
    const remote = scope(this.#model.mapping, destination);
    let mapping = this.#byInternal.get(source)?.get(remote);
    if (mapping === undefined || !this.#alive(mapping, now)) {
      mapping = this.#create(now, source, remote);
      if (mapping === undefined) return { ok: false, cause: "nat-exhausted", fault: undefined };
    }
    mapping.used = now;
    if (this.#model.filtering !== "endpoint-independent") mapping.allowed.set(scope(this.#model.filtering, destination), now);
    if (mapping.outbound.fault !== undefined) this.#touch(mapping.outbound.fault);
    return mapping.outbound;
  }

  /** Translates a packet that came from outside to an external address, if mapping and filter let it in. */
  inbound(now: Instant, source: Address, destination: Address): Inbound | Refusal {
    const explicit = this.#explicitByExternal.get(destination);
    if (explicit !== undefined && now < explicit.until) {
      explicit.guests.add(source);
      return explicit.inbound;
    }
    const mapping = this.#byExternal.get(destination);
    if (mapping === undefined || !this.#alive(mapping, now)) {
      return { ok: false, cause: "nat-no-mapping", fault: this.#lostByExternal.get(destination)?.fault };
    }
    const { filtering, inboundRefresh, lifetime } = this.#model;
    if (filtering !== "endpoint-independent") {
      const key = scope(filtering, source);
      const opened = mapping.allowed.get(key);
      if (opened === undefined || now - opened >= lifetime) {
        return {
          ok: false,
          cause: "nat-filtering",
          fault: mapping.shutOut?.allowed.has(key) ? mapping.shutOut.fault : undefined,
        };
      }
      if (inboundRefresh) mapping.allowed.set(key, now);
    }
    if (inboundRefresh) mapping.used = now;
    return mapping.inbound;
  }

  /**
   * Turns a packet from inside back inside (RFC 4787 section 6); call it when the destination's host is this NAT's own. Filters guard against
   * the outside only and are not asked. `no-route` when the NAT does not hairpin.
   */
  hairpin(now: Instant, source: Address, destination: Address): Hairpin | Refusal {
    if (this.#model.hairpin === "off") return { ok: false, cause: "no-route", fault: undefined };
    const target = this.#byExternal.get(destination);
    if (target === undefined || !this.#alive(target, now)) {
      return { ok: false, cause: "nat-no-mapping", fault: this.#lostByExternal.get(destination)?.fault };
    }
    if (this.#model.hairpin === "internal-source") return { ok: true, source, destination: target.internal };
    const out = this.outbound(now, source, destination);
    return out.ok ? { ok: true, source: out.source, destination: target.internal } : out;
  }

  /**
   * Maps an inside endpoint on request (RFC 6887 section 11.3), or for longer: at the external address it has for everybody already, else at the port it
   * wishes for, else at another. `isExact` (UPnP-IGD): at the port it wishes for, or not at all. Undefined when every port is taken, or that one.
   */
  map(now: Instant, internal: Address, wishedPort: number, lifetime: Micros, isExact = false): Address | undefined {
    const until = Instant.after(now, lifetime);
    const known = this.#explicit.get(internal);
    if (known !== undefined && now < known.until) {
      known.until = until;
      return known.external;
    }
    this.unmap(internal);
    const implicit = this.#byInternal.get(internal)?.get("");
    const exact = address(this.host, wishedPort);
    const holder = this.#byExternal.get(exact);
    const isTaken =
      this.#explicitByExternal.has(exact) || (holder !== undefined && holder.internal !== internal && this.#alive(holder, now));
    const free = (): Address | undefined =>
      implicit !== undefined && this.#alive(implicit, now)
        ? implicit.external
        : this.#freeAddress(now, internal, `${internal}|explicit`, wishedPort);
    const external = !isExact ? free() : isTaken ? undefined : exact;
    if (external === undefined) return undefined;
    const made: Explicit = { external, inbound: { ok: true, destination: internal }, until, guests: new Set() };
    this.#explicit.set(internal, made);
    this.#explicitByExternal.set(external, made);
    return external;
  }

  /** Takes back the one with this external address. False: there is none. */
  unmapExternal(external: Address): boolean {
    const found = this.#explicitByExternal.get(external)?.inbound.destination;
    if (found !== undefined) this.unmap(found);
    return found !== undefined;
  }

  /** Takes such a mapping back. */
  unmap(internal: Address): void {
    const known = this.#explicit.get(internal);
    if (known === undefined) return;
    this.#explicit.delete(internal);
    this.#explicitByExternal.delete(known.external);
  }

  /**
   * Gives every live mapping a new external port, whatever the port policy; the old ports are dead for good and all filters are closed until the
   * inside sends again. With `remotes` only mappings for these hosts move, and the others stay as they are. Returns the live mappings.
   */
  rebind(now: Instant, fault?: number, remotes?: ReadonlySet<string>): readonly MappingView[] {
    const isMoved = ({ remote }: Mapping): boolean =>
      remotes === undefined || remotes.has(remote) || (remote.includes(":") && remotes.has(hostOf(remote)));
    const moving = [...this.#byExternal.values()].filter((mapping) => this.#alive(mapping, now) && isMoved(mapping));
    if (remotes === undefined) this.#forget(now, fault);
    else for (const mapping of moving) this.#lose(mapping, now, fault);
    for (const { external } of moving) this.#dead.add(external);
    for (const { internal, remote, used } of moving) {
      const mapping = this.#create(now, internal, remote);
      if (mapping !== undefined) mapping.used = used;
    }
    return this.mappings(now);
  }

  /** Moves to another external address; all mappings are lost and made anew as the inside sends. */
  renumber(now: Instant, host: string, fault?: number): void {
    this.#forget(now, fault);
    this.#host = host;
  }

  /** Forgets all mappings and filters, as a restart of the box does; the port policy may give the same ports again. */
  expire(now: Instant, fault?: number): void {
    this.#forget(now, fault);
  }

  /** The live mappings, oldest first. */
  mappings(now: Instant): readonly MappingView[] {
    return [...this.#byExternal.values()]
      .filter((mapping) => this.#alive(mapping, now))
      .map(({ internal, remote, external, used }) => ({ internal, remote, external, usedAt: used }));
  }

  /** Packets that left through a mapping which `fault` moved or made necessary again. */
  touched(fault: number): number {
    return this.#touched.get(fault) ?? 0;
  }

  #alive(mapping: Mapping, now: Instant): boolean {
    return now - mapping.used < this.#model.lifetime;
  }

  #touch(fault: number): void {
    this.#touched.set(fault, (this.#touched.get(fault) ?? 0) + 1);
  }

  #create(now: Instant, internal: Address, remote: string): Mapping | undefined {
    const stale = this.#byInternal.get(internal)?.get(remote);
    if (stale !== undefined) this.#remove(stale);
    if (this.#byExternal.size >= this.#sweepAt) this.#sweep(now);
    const key = `${internal}|${remote}`;
    const external = this.#freeAddress(now, internal, key);
    if (external === undefined) return undefined;
    const before = this.#lostByInternal.get(key);
    const moved = before !== undefined && before.external !== external;
    if (before?.fault !== undefined && !moved) this.#touch(before.fault);
    const mapping: Mapping = {
      internal,
      remote,
      external,
      used: now,
      allowed: new Map(),
      shutOut: this.#lostByExternal.get(external),
      outbound: { ok: true, source: external, fault: moved ? before.fault : undefined },
      inbound: { ok: true, destination: internal },
    };
    this.#lostByInternal.delete(key);
    this.#lostByExternal.delete(external);
    this.#byExternal.set(external, mapping);
    const scopes = this.#byInternal.get(internal);
    if (scopes === undefined) this.#byInternal.set(internal, new Map([[remote, mapping]]));
    else scopes.set(remote, mapping);
    return mapping;
  }

  /** Expired mappings are found when they are asked for; this keeps those that nobody asks for from piling up. */
  #sweep(now: Instant): void {
    for (const mapping of this.#byExternal.values()) if (!this.#alive(mapping, now)) this.#remove(mapping);
    this.#sweepAt = Math.max(SWEEP_FROM, 2 * this.#byExternal.size);
  }

  #remove(mapping: Mapping): void {
    this.#byExternal.delete(mapping.external);
    const scopes = this.#byInternal.get(mapping.internal);
    scopes?.delete(mapping.remote);
    if (scopes?.size === 0) this.#byInternal.delete(mapping.internal);
  }

  /** Removes a mapping for `fault`, to blame for what then misses it. */
  #lose(mapping: Mapping, now: Instant, fault: number | undefined): void {
    if (this.#alive(mapping, now)) {
      const lost = { fault, external: mapping.external, allowed: new Set(mapping.allowed.keys()) };
      this.#lostByExternal.set(mapping.external, lost);
      this.#lostByInternal.set(`${mapping.internal}|${mapping.remote}`, lost);
    }
    this.#remove(mapping);
  }

  #forget(now: Instant, fault: number | undefined): void {
    this.#bootedAt = now;
    for (const mapping of [...this.#byExternal.values()]) this.#lose(mapping, now, fault);
    for (const [internal, { external, until, guests }] of [...this.#explicit]) {
      if (now < until) this.#lostByExternal.set(external, { fault, external, allowed: guests });
      this.unmap(internal);
    }
  }

  /** An external address for a new mapping by the port policy; undefined when none is left. */
  #freeAddress(now: Instant, internal: Address, key: string, wishedPort?: number): Address | undefined {
    const take = (port: number): Address | undefined => {
      const external = address(this.#host, port);
      if (this.#dead.has(external)) return undefined;
      const explicit = this.#explicitByExternal.get(external);
      if (explicit !== undefined && now < explicit.until && explicit.inbound.destination !== internal) return undefined;
      const owner = this.#byExternal.get(external);
      if (owner === undefined) return external;
      if (this.#alive(owner, now)) return undefined;
      this.#remove(owner);
      return external;
    };
    const range = this.#portsFor(internal);
    if (range === undefined) return undefined;
    if (wishedPort !== undefined && wishedPort >= range.first && wishedPort < range.first + range.size) {
      const wished = take(wishedPort);
      if (wished !== undefined) return wished;
    }
    if (this.#model.ports === "preserve") {
      const same = take(portOf(internal));
      if (same !== undefined) return same;
    }
    const made = this.#made.get(key) ?? 0;
    this.#made.set(key, made + 1);
    const first =
      this.#model.ports === "sequential"
        ? this.#nextSequential - FIRST_PORT
        : this.#randomness.stream(`nat ${this.name}/port/${key}`).at(made) % range.size;
    for (let i = 0; i < range.size; i++) {
      const port = range.first + ((first + i) % range.size);
      const external = take(port);
      if (external === undefined) continue;
      if (this.#model.ports === "sequential") this.#nextSequential = port + 1;
      return external;
    }
    return undefined;
  }

  /** The ports an inside host may have; undefined: none. */
  #portsFor(internal: Address): PortRange | undefined {
    const number = this.#model.ports === "block" ? this.#subscribers.get(hostOf(internal)) : 0;
    return number === undefined ? undefined : portsOf(this.#model, number);
  }
}

/**
 * The simulated network: carries packets between the sockets of a scenario's parties through access links and NATs in virtual time.
 * A packet's way: up link of the sender's interface, its NATs outwards, the internet, the receiver's NATs inwards, down link, socket. All delay is
 * in the access links; the internet and the NATs take none. What stays inside one NAT (a private address of the same realm, or the NAT's
 * own external address hairpinned) skips the access links' models for a LAN hop of 0.5 ms; faults laid on an interface hold for both.
 * Every packet that does not arrive is told as a `drop` record with the fault to blame, if there is one.
 */
import { type Address, type AddressFamily, address, familyOf, parseAddress } from "../impl/base/address.ts";
import type { Randomness } from "../impl/base/random.ts";
import type { DropRecord, Saying } from "../impl/base/record.ts";
import { Instant } from "../impl/base/units.ts";
import type { HostNetwork } from "../impl/core/effect.ts";
import { PORT_MAPPING_PORT } from "../impl/wire/pcp.ts";
import { SSDP_GROUP } from "../impl/wire/ssdp.ts";
import { icmpBytes } from "../scenarios/capture/icmp-packet.ts";
import type { Direction, LinkModel, NatModel, PartyModel } from "../scenarios/expanded.ts";
import type { Middlebox, RejectAnswer } from "../scenarios/middlebox.ts";
import { Cuts } from "./cuts.ts";
import { answerGateway } from "./gateway-service.ts";
import { type Counters, Host, type Packet, type Receive, type Socket, type Wire } from "./host.ts";
import type { Kernel } from "./kernel.ts";
import { answerMapping } from "./mapping-service.ts";
import type { MappingView } from "./nat.ts";
import { readPayload, type StunPacket } from "./quic/packet.ts";
import {
  type Block,
  buildTopology,
  type Gate,
  hostsOf,
  type Interface,
  moveGate,
  type Realm,
  setFamilies,
  type Topology,
} from "./topology.ts";

/** A packet on a link, for somebody who looks. */
export type Flight = {
  /** Counts the links crossed in the run: no two flights have the same. */
  readonly number: number;
  /** `alice/wlan0/up`. */
  readonly link: string;
  readonly from: Address;
  readonly to: Address;
  readonly packet: Packet;
  readonly arrives: Instant;
};

export type { Counters, Packet, Receive, Socket } from "./host.ts";

/** A packet as an interface's own capture shows it: what it sent before the link had its way with it, and what came through. */
export type Crossing = {
  /** `alice/wlan0`. */
  readonly interface: string;
  readonly way: "up" | "down";
  readonly at: Instant;
  readonly from: Address;
  readonly to: Address;
  readonly packet: Packet;
};

/** What an ICMP error says: of a packet of `bytes` octets to `to`. */
export type IcmpPayload = {
  readonly proto: "icmp";
  readonly answer: RejectAnswer;
  readonly to: Address;
  readonly bytes: number;
};
type Endpoint = { readonly host: string; readonly port: number; readonly family: AddressFamily };

/** Nothing gets from one party to the other. */

/** Parsed addresses kept at hand. chosen: far more than a call uses, and small enough to forget about. */
const PARSED = 4_096;

/** Octets of UDP and IPv4 headers (RFC 768, RFC 791). */
const UDP_AND_IP = 28;

/** The octets of a packet that is not QUIC; undefined for QUIC, which the model does not write out. */
function octetsOf(payload: unknown): Uint8Array | undefined {
  if (payload instanceof Uint8Array) return payload;
  const packet = readPayload(payload);
  return packet?.proto === "stun" ? packet.bytes : undefined;
}
/** The demultiplexing of RFC 9443, as a middlebox that knows QUIC by its fixed bit does it. */
const isQuic = (payload: unknown): boolean => octetsOf(payload) === undefined;

export class Network {
  readonly #kernel: Kernel;
  readonly #say: (who: string, saying: Saying) => void;
  readonly #topology: Topology;
  readonly #hosts: Map<string, Host> = new Map();
  readonly #parsed: Map<Address, Endpoint> = new Map();
  readonly #touched: Map<number, number> = new Map();
  /** Kept when somebody wants to look: undefined otherwise. */
  readonly #flights: Set<Flight> | undefined;
  readonly #cuts = new Cuts();
  /** Families that interfaces had at first, and those that faults want them to have, the latest last. */
  readonly #families: Map<Interface, { readonly families: readonly AddressFamily[]; readonly fault: number | undefined }[]> =
    new Map();
  #flown = 0;
  readonly #crossed: ((crossing: Crossing) => void) | undefined;

  /** RangeError when the parties and NATs do not fit together. `say` gets every `drop` record, `who` being `net`. */
  constructor(options: {
    readonly kernel: Kernel;
    readonly randomness: Randomness;
    readonly nats: Readonly<Record<string, NatModel>>;
    readonly parties: Readonly<Record<string, PartyModel>>;
    readonly say: (who: string, saying: Saying) => void;
    /** Remember what is under way, for `flights`. */
    readonly watched?: boolean;
    /** Gets every packet that an interface sends or receives. */
    readonly crossed?: (crossing: Crossing) => void;
  }) {
    this.#kernel = options.kernel;
    this.#say = options.say;
    this.#flights = options.watched === true ? new Set() : undefined;
    this.#crossed = options.crossed;
    this.#topology = buildTopology(options.nats, options.parties, options.randomness);
    const wire: Wire = {
      transmit: (host, from, to, packet) => this.#transmit(host, from, to, packet),
      drop: (where, cause, packet, fault) => this.#drop(where, cause, packet, fault),
      touch: (fault) => this.#touch(fault),
    };
    for (const [party, interfaces] of this.#topology.interfaces) this.#hosts.set(party, new Host(party, interfaces, wire));
  }

  /** Opens a UDP socket; RangeError for an unknown party, a port outside 1..65535 or one that is open. */
  socket(party: string, port: number, receive: Receive): Socket {
    return this.#host(party).socket(port, receive);
  }
  /** Hosts (no ports) of the party's interfaces that are up, in order of preference. */
  addresses(party: string): readonly string[] {
    return this.#host(party).interfaces.flatMap((one) => (one.downBy.length === 0 ? [...one.hosts.values()] : []));
  }
  /** Calls `listener` whenever `addresses(party)` has changed; the returned function ends that. */
  onAddressChange(party: string, listener: () => void): () => void {
    return this.#host(party).onAddressChange(listener);
  }
  /** What a process of the party with a socket at `port` finds when it asks its system for interfaces and routes. */
  hostNetwork(party: string, port: number): HostNetwork {
    return this.#host(party).network(port);
  }
  /** Traffic of the party so far: a copy. A packet counts as sent even when no interface is up, as received when its process got it. */
  counters(party: string): Counters {
    return { ...this.#host(party).counters };
  }

  /** Takes an interface down, or ends that for `fault` (without a fault: for all); packets on their way to it are dropped as `link-down`. */
  setInterface(party: string, name: string, up: boolean, fault?: number): void {
    this.#host(party).setInterface(this.#interface(party, name), up, fault);
  }
  /** Has an interface have addresses of these families, by `fault`, until the returned function is called: then those that the latest fault still there wants, or its own. */
  setFamilies(party: string, name: string, families: readonly AddressFamily[], fault: number): () => undefined {
    const at = this.#interface(party, name);
    const wishes = this.#families.get(at) ?? [{ families: [...at.hosts.keys()], fault: undefined }];
    this.#families.set(at, wishes);
    const wish = { families, fault };
    const settle = (): undefined => {
      const last = wishes.at(-1);
      if (last !== undefined) setFamilies(this.#topology, at, last.families, last.fault);
      this.#host(party).changed();
    };
    wishes.push(wish);
    settle();
    return () => {
      wishes.splice(wishes.indexOf(wish), 1);
      return settle();
    };
  }
  /** Has the party's traffic leave from an interface while that is up, by `fault`; the returned function ends that. */
  prefer(party: string, name: string, fault: number): () => void {
    return this.#host(party).prefer(this.#interface(party, name), fault);
  }
  /**
   * Lays `overlay` over the links of an interface for `fault`. The returned function takes it off and tells when what it kept in a queue has left, where
   * that is later. A blackout is `{ loss: 1 }`.
   */
  impair(
    party: string,
    name: string,
    direction: Direction,
    overlay: Partial<LinkModel>,
    fault: number,
  ): () => Instant | undefined {
    const { up, lanUp, down, lanDown } = this.#interface(party, name);
    const links = direction === "up" ? [up, lanUp] : direction === "down" ? [down, lanDown] : [up, lanUp, down, lanDown];
    const undo = links.map((link) => link.lay(overlay, fault));
    return () => {
      for (const one of undo) one();
      const until = Math.max(...links.map((link) => link.queuedUntil));
      return overlay.rate !== undefined && until > this.#kernel.now ? Instant(until) : undefined;
    };
  }

  /** New external ports for every mapping of the NAT, or those for flows to `other`, the old ones dead; see Nat.rebind. */
  rebind(nat: string, fault?: number, other?: string): readonly MappingView[] {
    const hosts = other === undefined ? undefined : hostsOf(this.#topology, other);
    return this.#gate(nat).nat.rebind(this.#kernel.now, fault, hosts);
  }
  /** A new external address for the NAT, its mappings lost; returns the address. */
  renumber(nat: string, fault?: number): string {
    const gate = this.#gate(nat);
    const host = moveGate(gate, fault);
    gate.nat.renumber(this.#kernel.now, host, fault);
    return host;
  }
  /** The NAT forgets its mappings and filters, and what its firewall knows. */
  expire(nat: string, fault?: number): void {
    const gate = this.#gate(nat);
    gate.nat.expire(this.#kernel.now, fault);
    gate.firewall.expire(this.#kernel.now, fault);
  }
  /** Puts a middlebox at the NAT, for `fault`; its mappings stay. The returned function ends that. */
  block(nat: string, box: Middlebox, fault: number): () => undefined {
    const gate = this.#gate(nat);
    const hosts = box.other === undefined ? undefined : hostsOf(this.#topology, box.other);
    const block: Block = { box, fault, hosts, seen: new Map() };
    gate.blocks.push(block);
    return () => {
      const index = gate.blocks.indexOf(block);
      if (index >= 0) gate.blocks.splice(index, 1);
      return undefined;
    };
  }
  /** Nothing passes between two parties, or nothing of one family, for `fault`: `up` is from `party` to `other`. The returned function ends that. */
  partition(party: string, other: string, direction: Direction, fault: number, family?: AddressFamily): () => undefined {
    return this.#cuts.lay(party, other, direction, fault, family);
  }
  /** The NAT's live mappings. */
  mappings(nat: string): readonly MappingView[] {
    return this.#gate(nat).nat.mappings(this.#kernel.now);
  }

  /** What is on the links now, the first to arrive first; RangeError when the network was not made `watched`. */
  flights(): readonly Flight[] {
    if (this.#flights === undefined) throw new RangeError("Network.flights: the network is not watched");
    return [...this.#flights].sort((a, b) => a.arrives - b.arrives);
  }

  /** How often `fault` altered a packet without dropping it: retimed, copied, readdressed, sent by another interface, held by a pause. */
  touched(fault: number): number {
    let sum = this.#touched.get(fault) ?? 0;
    for (const gate of this.#topology.gates.values()) sum += gate.nat.touched(fault);
    for (const interfaces of this.#topology.interfaces.values()) {
      for (const { up, down, lanUp, lanDown } of interfaces)
        for (const link of [up, down, lanUp, lanDown]) sum += link.touched(fault);
    }
    return sum;
  }

  #transmit(host: Host, locals: Readonly<Record<AddressFamily, Address>>, to: Address, packet: Packet): void {
    const target = this.#parse(to);
    const from = locals[target.family];
    host.counters.sentPackets++;
    host.counters.sentBytes += packet.bytes;
    const { first, out, detour, given, lost } = host.way(target.family);
    if (first === undefined) return this.#drop(host.name, "no-route", packet, lost);
    if (out === undefined) {
      this.#drop(`${host.name}/${first.name}/up`, "link-down", packet, first.downBy[0]);
      return;
    }
    this.#crossed?.({ interface: `${host.name}/${out.name}`, way: "up", at: this.#kernel.now, from, to, packet });
    if (detour !== undefined) this.#touch(detour);
    if (given !== undefined) this.#touch(given);
    const { realm } = out;
    const local =
      realm.exit !== undefined &&
      (realm.nodes.has(target.host) ||
        realm.exit.nat.host === target.host ||
        realm.gateway === target.host ||
        target.host === SSDP_GROUP);
    const now = this.#kernel.now;
    const fate = (local ? out.lanUp : out.up).send(now, packet.bytes);
    if (!fate.ok) {
      this.#drop(`${host.name}/${out.name}/up`, fate.cause, packet, fate.fault);
      return;
    }
    const forward = () => this.#forward(host.name, realm, local, from, to, packet);
    if (fate.corrupt !== undefined) return this.#spoil(fate.at, `${host.name}/${out.name}/up`, packet, fate.corrupt.fault);
    this.#carry(fate.at, forward, out, "up", from, to, packet);
    if (fate.copyAt !== undefined) this.#carry(fate.copyAt, forward, out, "up", from, to, packet);
  }

  /** Carries a packet from `realm` through NATs to the interface it is for. `local`: it has not left that realm so far. */
  #forward(sender: string, start: Realm, startLocal: boolean, startFrom: Address, startTo: Address, packet: Packet): void {
    // One at a time, here and below: an array for several at once is made and gone over for every packet.
    let realm = start;
    let local = startLocal;
    let from = startFrom;
    let to = startTo;
    const now = this.#kernel.now;
    /** The fault that gave the packet another source than it would have had: to blame when a filter then refuses it. */
    let readdressed: number | undefined;
    for (;;) {
      const { host, family } = this.#parse(to);
      const node = realm.nodes.get(host);
      if (node?.kind === "interface") {
        const cut = this.#cuts.between(sender, node.party, to);
        if (cut === undefined) this.#arrive(node, local, from, to, packet);
        else this.#drop(realm.name, "no-route", packet, cut);
        return;
      }
      const isTranslated = family === "v4";
      if (node !== undefined && !isTranslated) {
        const verdict = node.firewall.inbound(now, from, to);
        if (!verdict.ok) return this.#drop(`nat ${node.nat.name}`, "nat-filtering", packet, verdict.fault);
        if (this.#blockedBy(node, packet, to, from) !== undefined) return;
        realm = node.inside;
        local = false;
        continue;
      }
      if (node !== undefined) {
        const verdict = node.nat.inbound(now, from, to);
        if (!verdict.ok) {
          const fault = verdict.fault ?? (verdict.cause === "nat-filtering" ? readdressed : undefined);
          this.#drop(`nat ${node.nat.name}`, verdict.cause, packet, fault);
          return;
        }
        if (this.#blockedBy(node, packet, verdict.destination, from) !== undefined) return;
        realm = node.inside;
        local = false;
        to = verdict.destination;
        continue;
      }
      const { exit, retired } = realm;
      if (exit === undefined || retired.has(host)) {
        this.#drop(realm.name, "no-route", packet, retired.get(host));
        return;
      }
      // Nobody but the router listens to what is sent to everybody.
      if (host === realm.gateway || host === SSDP_GROUP) return this.#ask(realm, this.#gate(exit.nat.name), from, to, packet);
      if (host === exit.nat.host) {
        const verdict = exit.nat.hairpin(now, from, to);
        if (!verdict.ok) {
          this.#drop(realm.name, verdict.cause, packet, verdict.fault);
          return;
        }
        from = verdict.source;
        to = verdict.destination;
        continue;
      }
      const gate = this.#gate(exit.nat.name);
      const block = this.#blockedBy(gate, packet, from, to);
      if (block !== undefined) {
        if (block.box.answer !== undefined) this.#reject(realm, family, block.box.answer, from, to, packet);
        return;
      }
      if (!isTranslated) {
        gate.firewall.outbound(now, from, to);
        realm = exit.to;
        local = false;
        continue;
      }
      const verdict = exit.nat.outbound(now, from, to);
      if (!verdict.ok) {
        this.#drop(realm.name, verdict.cause, packet, verdict.fault);
        return;
      }
      readdressed = verdict.fault ?? readdressed;
      realm = exit.to;
      local = false;
      from = verdict.source;
    }
  }

  /** A packet for a router itself, which answers about port mappings if anything. */
  #ask(realm: Realm, { nat, portMapping }: Gate, from: Address, to: Address, packet: Packet): void {
    const [{ host, port }, now] = [this.#parse(to), this.#kernel.now];
    const asked = octetsOf(packet.payload);
    const listens =
      portMapping === "upnp-igd" ? port !== PORT_MAPPING_PORT : portMapping !== undefined && port === PORT_MAPPING_PORT;
    if (portMapping === undefined || asked === undefined || !listens)
      return this.#drop(`nat ${nat.name}`, "port-closed", packet, undefined);
    const own = realm.gateway ?? host;
    const answer =
      portMapping === "upnp-igd"
        ? answerGateway(nat, own, now, from, to, asked)
        : answerMapping(nat, portMapping, now, from, asked);
    if (answer === undefined) return;
    const payload: StunPacket = { proto: "stun", bytes: answer };
    this.#forward(nat.name, realm, true, address(own, port), from, { payload, bytes: answer.length + UDP_AND_IP });
  }

  /** Drops what a fault keeps from crossing the NAT, and tells its box; of several faults the first is named. */
  #blockedBy({ nat, blocks }: Gate, packet: Packet, inside: Address, remote: Address): Block | undefined {
    if (blocks.length === 0) return undefined;
    const block = blocks.find((one) => this.#refuses(one, packet, inside, remote));
    if (block !== undefined) this.#drop(`nat ${nat.name}`, "blocked", packet, block.fault);
    return block;
  }

  #refuses({ box, hosts, seen }: Block, packet: Packet, inside: Address, remote: Address): boolean {
    if (box.what === "quic" && !isQuic(packet.payload)) return false;
    if (hosts !== undefined && !hosts.has(this.#parse(remote).host)) return false;
    if (box.lives === undefined) return true;
    const flow = `${inside} ${remote}`;
    const since = seen.get(flow);
    if (since === undefined) seen.set(flow, this.#kernel.now);
    return since !== undefined && this.#kernel.now - since >= box.lives;
  }

  /** The answer to a refused packet, by ICMP. No process hears of it (ip(7): a socket that is not connected), and it crosses no second NAT. */
  #reject(realm: Realm, family: AddressFamily, answer: RejectAnswer, from: Address, to: Address, packet: Packet): void {
    const at = realm.nodes.get(this.#parse(from).host);
    const router = family === "v4" ? realm.gateway : realm.gateway6;
    if (at?.kind !== "interface" || at.downBy.length > 0 || router === undefined) return;
    const bytes = icmpBytes(family, packet.bytes);
    const fate = at.down.send(this.#kernel.now, bytes);
    if (!fate.ok) return;
    const told = {
      interface: `${at.party}/${at.name}`,
      way: "down",
      at: fate.at,
      from: address(router, 0),
      to: from,
    } as const;
    const payload: IcmpPayload = { proto: "icmp", answer, to, bytes: packet.bytes };
    this.#kernel.post(fate.at, () => this.#crossed?.({ ...told, packet: { bytes, payload } }));
  }

  #arrive(at: Interface, local: boolean, from: Address, to: Address, packet: Packet): void {
    if (at.downBy.length > 0) {
      this.#drop(`${at.party}/${at.name}/down`, "link-down", packet, at.downBy[0]);
      return;
    }
    const fate = (local ? at.lanDown : at.down).send(this.#kernel.now, packet.bytes);
    if (!fate.ok) {
      this.#drop(`${at.party}/${at.name}/down`, fate.cause, packet, fate.fault);
      return;
    }
    if (fate.corrupt !== undefined) return this.#spoil(fate.at, `${at.party}/${at.name}/down`, packet, fate.corrupt.fault);
    const deliver = () => this.#deliver(at, from, to, packet);
    this.#carry(fate.at, deliver, at, "down", from, to, packet);
    if (fate.copyAt !== undefined) this.#carry(fate.copyAt, deliver, at, "down", from, to, packet);
  }

  /** Does `then` when the packet has crossed the link of interface `on`. */
  #carry(
    arrives: Instant,
    then: () => void,
    on: Interface,
    way: "up" | "down",
    from: Address,
    to: Address,
    packet: Packet,
  ): void {
    const flights = this.#flights;
    if (flights === undefined) return this.#kernel.post(arrives, then);
    const flight: Flight = { number: ++this.#flown, link: `${on.party}/${on.name}/${way}`, from, to, packet, arrives };
    flights.add(flight);
    this.#kernel.post(arrives, () => {
      flights.delete(flight);
      then();
    });
  }

  #deliver(at: Interface, from: Address, to: Address, packet: Packet): void {
    // asked again: it may have gone down while the packet was on the link
    if (at.downBy.length > 0) {
      this.#drop(`${at.party}/${at.name}/down`, "link-down", packet, at.downBy[0]);
      return;
    }
    this.#crossed?.({ interface: `${at.party}/${at.name}`, way: "down", at: this.#kernel.now, from, to, packet });
    this.#host(at.party).deliver(this.#parse(to).port, from, packet);
  }

  /** A packet that is altered on its way is told when it arrives, where nothing can be done with it. */
  #spoil(arrives: Instant, where: string, packet: Packet, fault: number | undefined): void {
    this.#kernel.post(arrives, () => this.#drop(where, "corrupt", packet, fault));
  }

  #drop(where: string, cause: DropRecord["cause"], packet: Packet, fault: number | undefined): void {
    const record: DropRecord = { ev: "drop", where, cause, bytes: packet.bytes };
    this.#say("net", fault === undefined ? record : { ...record, fault });
  }
  #touch(fault: number): void {
    this.#touched.set(fault, (this.#touched.get(fault) ?? 0) + 1);
  }

  #parse(of: Address): Endpoint {
    const known = this.#parsed.get(of);
    if (known !== undefined) return known;
    const parts = parseAddress(of);
    if (parts === undefined) throw new TypeError(`Socket.send: want an address like 192.0.2.1:4433, got ${of}`);
    if (this.#parsed.size >= PARSED) this.#parsed.clear();
    const endpoint: Endpoint = { host: parts.host, port: parts.port, family: familyOf(of) };
    this.#parsed.set(of, endpoint);
    return endpoint;
  }

  #host(party: string): Host {
    const host = this.#hosts.get(party);
    if (host === undefined) throw new RangeError(`party: none is named ${party}`);
    return host;
  }
  #interface(party: string, name: string): Interface {
    const found = this.#host(party).interfaces.find((one) => one.name === name);
    if (found === undefined) throw new RangeError(`interface: ${party} has none named ${name}`);
    return found;
  }
  #gate(nat: string): Gate {
    const gate = this.#topology.gates.get(nat);
    if (gate === undefined) throw new RangeError(`nat: none is named ${nat}`);
    return gate;
  }
}

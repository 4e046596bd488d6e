/**
 * The UDP side of a party's operating system: sockets by port, a receive buffer that goes on filling while the process is paused, counters.
 * Left out on purpose: ICMP errors (a sender learns nothing of a closed port) and send buffers (the link's queue is the only one).
 */
import { type Address, type AddressFamily, address } from "../impl/base/address.ts";
import type { DropRecord } from "../impl/base/record.ts";
import type { HostNetwork } from "../impl/core/effect.ts";
import type { Interface } from "./topology.ts";

/** A UDP datagram under way, passed by reference and never copied. `bytes` counts IP and UDP headers too. */
export type Packet = { readonly bytes: number; readonly payload: unknown };

export type Receive = (from: Address, packet: Packet) => void;

/** A UDP socket bound to one port of every interface of a party. */
export type Socket = {
  /** First interface that is up and the port; the first interface of all when none is up. IPv4 where there is any. */
  readonly local: Address;
  /** TypeError when `to` is no address. Leaves from the first interface that is up and has its family. Ignored once closed. */
  send(to: Address, packet: Packet): void;
  /** The process is paused (by `fault`): arriving packets wait in the receive buffer, those beyond it are dropped. */
  hold(fault?: number): void;
  /** The process runs again: what waited is delivered at once, in order, before this returns. */
  release(): void;
  /** The process is gone (by `fault`): what waits and what arrives later is dropped as `process-down` until the port is opened again. */
  close(fault?: number): void;
};

/** UDP traffic of a party: sent by its sockets, and received by its processes. */
export type Counters = { sentPackets: number; sentBytes: number; receivedPackets: number; receivedBytes: number };

/** What a host needs of the network around it. */
export type Wire = {
  readonly transmit: (host: Host, from: Readonly<Record<AddressFamily, Address>>, to: Address, packet: Packet) => void;
  readonly drop: (where: string, cause: DropRecord["cause"], packet: Packet, fault: number | undefined) => void;
  /** `fault` altered the fate of a packet without dropping it. */
  readonly touch: (fault: number) => void;
};

/**
 * Packets a paused process's socket holds. chosen: Linux's default receive buffer (net.core.rmem_default, 212,992 octets) charged with
 * the 832 octets that the kernel books for a small packet (512 of data and headers, 320 of bookkeeping).
 */
export const RECEIVE_BUFFER_PACKETS = 256;

/** How a host sends what is of one family. */
export type Way = {
  /** The most preferred interface that has the family, and the one that traffic leaves from: the first that is up, unless a fault prefers another. */
  readonly first: Interface | undefined;
  readonly out: Interface | undefined;
  /** What it sends from; undefined: it has no address of the family. */
  readonly host: string | undefined;
  /** The fault that keeps traffic off the most preferred interface, while another carries it. */
  readonly detour: number | undefined;
  /** The fault that took an address of the family; the one that gave the address it leaves from. */
  readonly lost: number | undefined;
  readonly given: number | undefined;
};

export class Host {
  readonly name: string;
  readonly interfaces: readonly Interface[];
  readonly counters: Counters = { sentPackets: 0, sentBytes: 0, receivedPackets: 0, receivedBytes: 0 };
  readonly #wire: Wire;
  readonly #open: Map<number, HostSocket> = new Map();
  /** Ports whose last process is gone, and the fault that took it; a port in `#open` comes first. */
  readonly #closed: Map<number, number | undefined> = new Map();
  readonly #listeners: Set<() => void> = new Set();
  /** Interfaces preferred by faults, the latest first. */
  readonly #wishes: { readonly which: Interface; readonly fault: number }[] = [];
  #ways: Readonly<Record<AddressFamily, Way>>;

  constructor(name: string, interfaces: readonly Interface[], wire: Wire) {
    this.name = name;
    this.interfaces = interfaces;
    this.#wire = wire;
    this.#ways = { v4: this.#choose("v4"), v6: this.#choose("v6") };
  }

  way(family: AddressFamily): Way {
    return this.#ways[family];
  }

  /** Opens a socket; RangeError when `port` is not in 1..65535 or already open. */
  socket(port: number, receive: Receive): Socket {
    if (!(Number.isInteger(port) && port >= 1 && port <= 65_535)) throw new RangeError(`port: want 1..65535, got ${port}`);
    if (this.#open.has(port)) throw new RangeError(`port: ${port} of ${this.name} is already open`);
    const socket = new HostSocket(this, port, receive, this.#wire, (fault) => {
      this.#open.delete(port);
      this.#closed.set(port, fault);
    });
    this.#open.set(port, socket);
    return socket;
  }

  /** Hands an arrived packet to the socket of `port`. */
  deliver(port: number, from: Address, packet: Packet): void {
    const socket = this.#open.get(port);
    if (socket !== undefined) socket.arrive(from, packet);
    else this.#wire.drop(this.name, this.#closed.has(port) ? "process-down" : "port-closed", packet, this.#closed.get(port));
  }

  /**
   * Takes the interface down or lets go of it. Several faults may hold it down: it is up again when each has let go, or when `up` comes without a
   * fault. Listeners hear of it at once when the addresses in use have changed.
   */
  setInterface(which: Interface, up: boolean, fault: number | undefined): void {
    const was = which.downBy.length === 0;
    if (!up) which.downBy = [...which.downBy, fault];
    else which.downBy = fault === undefined ? [] : which.downBy.filter((holder) => holder !== fault);
    const is = which.downBy.length === 0;
    if (was === is) return;
    this.changed();
  }

  /** Traffic leaves from `which` while that is up, whatever the order of preference; the last such wish counts. The returned function takes it back. */
  prefer(which: Interface, fault: number): () => void {
    const wish = { which, fault };
    this.#wishes.unshift(wish);
    this.changed();
    return () => {
      const index = this.#wishes.indexOf(wish);
      if (index < 0) return;
      this.#wishes.splice(index, 1);
      this.changed();
    };
  }

  #choose(family: AddressFamily): Way {
    const having = this.interfaces.filter((one) => one.hosts.has(family));
    const isUp = (one: Interface): boolean => one.downBy.length === 0;
    const wish = this.#wishes.find(({ which }) => isUp(which) && having.includes(which));
    const [first] = having;
    const out = wish?.which ?? having.find(isUp);
    const host = (out ?? first)?.hosts.get(family);
    const lost = this.interfaces.find((one) => one.lost.has(family))?.lost.get(family);
    return {
      first,
      out,
      host,
      lost,
      given: out?.given.get(family),
      detour: out === undefined ? undefined : (wish?.fault ?? first?.downBy[0]),
    };
  }
  /** Addresses or interfaces are not what they were: sockets follow, and listeners hear of it at once. */
  changed(): void {
    this.#ways = { v4: this.#choose("v4"), v6: this.#choose("v6") };
    for (const socket of this.#open.values()) socket.relocate();
    for (const listener of [...this.#listeners]) listener();
  }

  /** Interfaces that are up as its own processes are told of them. */
  network(port: number): HostNetwork {
    const up = this.interfaces.filter((one) => one.downBy.length === 0);
    const { v4, v6 } = this.#ways;
    const gateway = v4.out?.realm.gateway;
    return {
      ...(gateway === undefined ? {} : { gateway }),
      port,
      interfaces: up.map((one) => ({
        name: one.name,
        addresses: [...one.hosts.values()],
        isDefault: one === v4.out || one === v6.out,
      })),
    };
  }

  /** Calls `listener` after every change of the addresses in use; the returned function ends that. */
  onAddressChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

class HostSocket implements Socket {
  readonly #host: Host;
  readonly #port: number;
  readonly #receive: Receive;
  readonly #wire: Wire;
  readonly #onClose: (fault: number | undefined) => void;
  readonly #waiting: { readonly from: Address; readonly packet: Packet }[] = [];
  /** What it sends from; empty where it never had an address of the family. */
  readonly #locals: Record<AddressFamily, Address> = { v4: "", v6: "" };
  #state: "running" | "held" | "closed" = "running";
  #heldBy: number | undefined;

  constructor(host: Host, port: number, receive: Receive, wire: Wire, onClose: (fault: number | undefined) => void) {
    this.#host = host;
    this.#port = port;
    this.#receive = receive;
    this.#wire = wire;
    this.#onClose = onClose;
    this.relocate();
  }

  get local(): Address {
    return this.#locals.v4 || this.#locals.v6;
  }
  relocate(): void {
    for (const family of ["v4", "v6"] as const) {
      const { host } = this.#host.way(family);
      if (host !== undefined) this.#locals[family] = address(host, this.#port);
    }
  }

  send(to: Address, packet: Packet): void {
    if (this.#state !== "closed") this.#wire.transmit(this.#host, this.#locals, to, packet);
  }

  hold(fault?: number): void {
    if (this.#state === "closed") return;
    this.#state = "held";
    this.#heldBy = fault;
  }
  release(): void {
    if (this.#state !== "held") return;
    this.#state = "running";
    while (this.#state === "running") {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#hand(next.from, next.packet);
    }
  }
  close(fault?: number): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    for (const { packet } of this.#waiting.splice(0)) this.#wire.drop(this.#host.name, "process-down", packet, fault);
    this.#onClose(fault);
  }

  arrive(from: Address, packet: Packet): void {
    if (this.#state === "running") {
      this.#hand(from, packet);
      return;
    }
    if (this.#waiting.length >= RECEIVE_BUFFER_PACKETS) {
      this.#wire.drop(this.#host.name, "queue", packet, this.#heldBy);
      return;
    }
    this.#waiting.push({ from, packet });
    if (this.#heldBy !== undefined) this.#wire.touch(this.#heldBy);
  }

  #hand(from: Address, packet: Packet): void {
    this.#host.counters.receivedPackets++;
    this.#host.counters.receivedBytes += packet.bytes;
    this.#receive(from, packet);
  }
}

/**
 * Who sits where in the simulated network: the internet, one realm inside each NAT, and the addresses of everything, given by order of
 * declaration so that the same scenario always has the same addresses.
 *
 *   198.51.100.k  interfaces without a NAT (RFC 5737), 198.18.x.y beyond 254 (RFC 2544)
 *   203.0.113.k   NATs facing the internet (RFC 5737), 198.19.x.y beyond 254
 *   192.168.n.k   interfaces behind the n-th NAT (RFC 1918), k from 2, the NAT itself being 1; 10.x.y.k beyond 254 NATs
 *   100.64.n.k    NATs behind the n-th NAT (RFC 6598), k from 2
 *   IPv6          scenarios/address-family.ts
 *
 * Left out on purpose: two homes that both use 192.168.1.0/24.
 */
import type { AddressFamily } from "../impl/base/address.ts";
import type { Randomness } from "../impl/base/random.ts";
import type { Instant } from "../impl/base/units.ts";
import { familiesOf, hostIn, prefixOfBox } from "../scenarios/address-family.ts";
import type { LinkModel, NatModel, PartyModel } from "../scenarios/expanded.ts";
import { CLEAN, Link } from "../scenarios/impairment/link.ts";
import type { Middlebox } from "../scenarios/middlebox.ts";
import { Firewall } from "./firewall.ts";
import { Nat } from "./nat.ts";

/** One address space: what can reach each other without translation. */
export type Realm = {
  /** For drop records: `internet`, or `nat NAME` for the inside of a NAT. */
  readonly name: string;
  /** The way out; undefined for the internet. */
  readonly exit: { readonly nat: Nat; readonly to: Realm } | undefined;
  readonly nodes: Map<string, Node>;
  /** The NAT's own address on this side; undefined for the internet. */
  readonly gateway: string | undefined;
  readonly gateway6: string | undefined;
  /** Addresses that a renumbering took away, and its fault. */
  readonly retired: Map<string, number | undefined>;
  /** Give the next free address of the realm. */
  readonly nextInterface: () => string;
  readonly nextInterface6: () => string;
  readonly nextNat: () => string;
};

/** What an address stands for in its realm. */
export type Node = Interface | Gate;

/** A middlebox at a NAT, by a fault. */
export type Block = {
  readonly box: Middlebox;
  readonly fault: number;
  /** Remote hosts that it is after; undefined: all. */
  readonly hosts: ReadonlySet<string> | undefined;
  /** When it saw each flow first: inside and remote endpoint. */
  readonly seen: Map<string, Instant>;
};

/** The outer side of a NAT. */
export type Gate = {
  readonly kind: "gate";
  readonly nat: Nat;
  /** What IPv6 meets there. */
  readonly firewall: Firewall;
  readonly inside: Realm;
  readonly outside: Realm;
  /** What it lets its inside ask for. */
  readonly portMapping: NatModel["portMapping"];
  /** What faults keep from crossing it, the first laid first. */
  readonly blocks: Block[];
};

/** One interface of a party, with its own access link; `lan*` carry what never leaves the realm inside a NAT. */
export type Interface = {
  readonly kind: "interface";
  readonly party: string;
  readonly name: string;
  /** One for each family it has. */
  readonly hosts: Map<AddressFamily, string>;
  /** What it has, or would have, of each family: its place in both plans is its own. */
  readonly reserved: Readonly<Record<AddressFamily, string>>;
  /** Faults that took a family from it. */
  readonly lost: Map<AddressFamily, number | undefined>;
  /** Faults that gave it a family. */
  readonly given: Map<AddressFamily, number | undefined>;
  readonly realm: Realm;
  readonly up: Link;
  readonly down: Link;
  readonly lanUp: Link;
  readonly lanDown: Link;
  /** Faults (undefined: no fault) that hold it down; it is up when empty. */
  downBy: readonly (number | undefined)[];
};

export type Topology = {
  readonly internet: Realm;
  readonly gates: ReadonlyMap<string, Gate>;
  /** By party, in order of preference. */
  readonly interfaces: ReadonlyMap<string, readonly Interface[]>;
};

/** One direction of a home network's own hop. chosen: 0.25 ms up and again down, the 0.5 ms of a switched or lightly used wireless LAN. */
const LAN: LinkModel = { ...CLEAN, delay: 250 };

/** RangeError for an unknown NAT, NATs behind each other in a circle, a party without interfaces, or a realm with too many addresses. */
export function buildTopology(
  nats: Readonly<Record<string, NatModel>>,
  parties: Readonly<Record<string, PartyModel>>,
  randomness: Randomness,
): Topology {
  const internet = realm("internet", undefined, [undefined, undefined], {
    interfaces: addresses("198.51.100", "198.18"),
    interfaces6: addresses6(0),
    nats: addresses("203.0.113", "198.19"),
  });
  const models = new Map(Object.entries(nats));
  const numbers = new Map([...models.keys()].map((name, index) => [name, index + 1]));
  const gates = new Map<string, Gate>();

  const gate = (name: string, asking: readonly string[], askedBy: string): Gate => {
    const known = gates.get(name);
    if (known !== undefined) return known;
    const model = models.get(name);
    if (model === undefined) throw new RangeError(`${askedBy}: no NAT named ${name}`);
    if (asking.includes(name)) throw new RangeError(`nat ${name}: sits behind itself (${[...asking, name].join(" behind ")})`);
    const outside = model.behind === null ? internet : gate(model.behind, [...asking, name], `nat ${name}`).inside;
    const nat = new Nat(name, model, outside.nextNat(), randomness);
    const number = numbers.get(name) ?? 0;
    const lan = number <= 254 ? `192.168.${number}` : `10.${number >> 8}.${number & 255}`;
    const inside = realm(`nat ${name}`, { nat, to: outside }, [`${lan}.1`, hostIn(prefixOfBox(number), 1)], {
      interfaces: addresses(lan, undefined, 2),
      interfaces6: addresses6(number),
      nats: addresses(`100.64.${number}`, undefined, 2),
    });
    const made: Gate = {
      kind: "gate",
      nat,
      firewall: new Firewall(model),
      inside,
      outside,
      portMapping: model.portMapping,
      blocks: [],
    };
    gates.set(name, made);
    outside.nodes.set(nat.host, made);
    outside.exit?.nat.admit(nat.host);
    return made;
  };
  for (const name of models.keys()) gate(name, [], `nat ${name}`);

  const interfaces = new Map<string, readonly Interface[]>();
  for (const [party, model] of Object.entries(parties)) {
    const own = Object.entries(model.interfaces).map(([name, { up, down, nat, ...rest }]): Interface => {
      const at = nat === null ? internet : gate(nat, [], `${party}/${name}`).inside;
      const link = (which: string, of: typeof up) => new Link(`${party}/${name}/${which}`, of, randomness);
      const links = { up: link("up", up), down: link("down", down), lanUp: link("lan-up", LAN), lanDown: link("lan-down", LAN) };
      const empty = { hosts: new Map(), lost: new Map(), given: new Map() };
      const reserved = { v4: at.nextInterface(), v6: at.nextInterface6() };
      const made: Interface = { kind: "interface", party, name, reserved, ...empty, realm: at, ...links, downBy: [] };
      for (const family of familiesOf(rest)) settle(gates, made, family);
      return made;
    });
    if (own.length === 0) throw new RangeError(`${party}: a party needs an interface`);
    interfaces.set(party, own);
  }
  return { internet, gates, interfaces };
}

/** What a party is known by to others: its own addresses and those of the NATs it is behind. */
export function hostsOf({ interfaces }: Topology, party: string): ReadonlySet<string> {
  const hosts = new Set<string>();
  for (const { hosts: own, realm } of interfaces.get(party) ?? []) {
    for (const host of own.values()) hosts.add(host);
    for (let exit = realm.exit; exit !== undefined; exit = exit.to.exit) hosts.add(exit.nat.host);
  }
  return hosts;
}

/** Gives an interface its address of a family. */
function settle(gates: Topology["gates"], at: Interface, family: AddressFamily): void {
  const host = at.reserved[family];
  at.hosts.set(family, host);
  at.realm.nodes.set(host, at);
  at.realm.retired.delete(host);
  if (family === "v4") return at.realm.exit?.nat.admit(host);
  // Nothing is translated, so every router on the way knows the address.
  for (let { exit } = at.realm; exit !== undefined; { exit } = exit.to) {
    const gate = gates.get(exit.nat.name);
    if (gate !== undefined) exit.to.nodes.set(host, gate);
    exit.to.retired.delete(host);
  }
}

/** Has an interface have these families, by `fault`: an address taken leads nowhere from now on, one that comes back is the same. */
export function setFamilies(
  { gates }: Topology,
  at: Interface,
  wanted: readonly AddressFamily[],
  fault: number | undefined,
): void {
  for (const family of ["v6", "v4"] as const) {
    const host = at.hosts.get(family);
    if (host === undefined && wanted.includes(family)) {
      settle(gates, at, family);
      at.lost.delete(family);
      at.given.set(family, fault);
    } else if (host !== undefined && !wanted.includes(family)) {
      at.hosts.delete(family);
      at.given.delete(family);
      at.lost.set(family, fault);
      for (let realm: Realm | undefined = at.realm; realm !== undefined; realm = realm.exit?.to) {
        realm.nodes.delete(host);
        realm.retired.set(host, fault);
      }
    }
  }
}

/** Moves a NAT's outer side to the next free address of its realm; the old address leads nowhere from now on. Returns the new one. */
export function moveGate(gate: Gate, fault: number | undefined): string {
  const host = gate.outside.nextNat();
  gate.outside.nodes.delete(gate.nat.host);
  gate.outside.retired.set(gate.nat.host, fault);
  gate.outside.nodes.set(host, gate);
  gate.outside.exit?.nat.admit(host, gate.nat.host);
  return host;
}

type Supply = { readonly interfaces: () => string; readonly interfaces6: () => string; readonly nats: () => string };

const realm = (
  name: string,
  exit: Realm["exit"],
  [gateway, gateway6]: readonly [string | undefined, string | undefined],
  supply: Supply,
): Realm => ({
  name,
  exit,
  gateway,
  gateway6,
  nodes: new Map(),
  retired: new Map(),
  nextInterface: supply.interfaces,
  nextInterface6: supply.interfaces6,
  nextNat: supply.nats,
});

/** Hands out the addresses behind box `number`, or on the internet; the box itself has the first one. */
function addresses6(number: number): () => string {
  let k = number === 0 ? 0 : 1;
  return () => hostIn(prefixOfBox(number), ++k);
}

/** Hands out `prefix`.k from `first` to 254, then `beyond`.x.y if there is such a block. */
function addresses(prefix: string, beyond: string | undefined, first = 1): () => string {
  let k = first - 1;
  return () => {
    k++;
    if (k <= 254) return `${prefix}.${k}`;
    if (beyond === undefined || k > 65_534) throw new RangeError(`${prefix}.0/24: more addresses needed than there are`);
    return `${beyond}.${k >> 8}.${k & 255}`;
  };
}

/**
 * What a run's network is made of, before any of it exists: namespaces, devices and addresses, given by order of declaration so that the same
 * scenario always has the same addresses, and those that `sim` gives.
 *
 *   198.51.100.k  interfaces without a NAT (RFC 5737), 198.18.x.y beyond 254 (RFC 2544)
 *   203.0.113.k   NATs facing the internet (RFC 5737), 198.19.x.y beyond 254
 *   192.168.n.k   interfaces behind the n-th NAT (RFC 1918), k from 2; the NAT itself is 1
 *   100.64.n.k    NATs behind the n-th NAT (RFC 6598), k from 2; the NAT itself is 1
 *   192.0.2.k     two hosts on the outside of each NAT for its classification (RFC 5737); its three inside are 192.168.n.252 to 254
 *   2001:db8:ffff::k  the same over IPv6; its one inside is 2001:db8:n::ffff
 *
 *   IPv6          scenarios/address-family.ts
 *
 * Left out on purpose: more than 127 NATs.
 */
import type { AddressFamily } from "../impl/base/address.ts";
import { familiesOf, hostIn, prefixOfBox } from "../scenarios/address-family.ts";
import type { NatModel, PartyModel, Scenario } from "../scenarios/expanded.ts";
import { namespacePrefix } from "./leftovers.ts";

/** Hands out the next free address of a segment; RangeError when there is none. */
export type Addresses = () => string;

/** One interface of a party: a device in its namespace, a cable cut open in the wire namespace, and the far end in a router or the internet. */
export type PartyPort = {
  readonly party: string;
  readonly interface: string;
  /** Place in the party's order of preference, from 0. */
  readonly preference: number;
  /** Namespace of the party and the device there. */
  readonly namespace: string;
  readonly device: string;
  readonly mac: string;
  readonly address: string;
  readonly nat: string | null;
  readonly gateway: Gateway;
  /** Its IPv6 address and the way out, whether it has them or not; `families`: what it has at the start. */
  readonly address6: string;
  readonly gateway6: Gateway;
  readonly families: readonly AddressFamily[];
  /** Devices of the wire namespace: towards the party, towards the far end. */
  readonly inner: string;
  readonly outer: string;
  /** Device at the far end, in the NAT's namespace or the internet's, and its hardware address. */
  readonly far: { readonly namespace: string; readonly device: string; readonly mac: string };
};

/** Where a default route leads. */
export type Gateway = { readonly address: string; readonly mac: string };

/** Hosts for a NAT's classification: `narrow` is one more inside, which has a block of ports of the declared size where ports come in blocks. */
export type Probe = {
  readonly inside: readonly [string, string];
  readonly narrow: string;
  readonly outside: readonly [string, string];
  /** The same over IPv6, with one host inside. */
  readonly inside6: string;
  readonly outside6: readonly [string, string];
};

export type NatPlan = {
  readonly name: string;
  /** From 1, in order of declaration. */
  readonly number: number;
  readonly model: NatModel;
  readonly namespace: string;
  /** First three octets of the inside segments: for parties, and for NATs behind this one. */
  readonly inside: string;
  readonly carrier: string;
  /** First 64 bits of the IPv6 addresses inside; the box itself is 1. */
  readonly prefix6: string;
  readonly gateway6: Gateway;
  readonly bridgeMac: string;
  readonly wanMac: string;
  /** External address at the start; `outsideAddresses` gives the next. */
  readonly host: string;
  readonly outsideAddresses: Addresses;
  readonly gateway: Gateway;
  /** The other end of its outside cable: a port of the bridge of the NAT it is behind, or a device of the internet. */
  readonly far: { readonly namespace: string; readonly device: string; readonly mac: string };
  /** For the classification: two inside hosts, two hosts outside. */
  readonly probe: Probe;
  /** Inside hosts in the order in which a NAT counts subscribers (port-block.ts): NATs behind it, then interfaces. */
  readonly subscribers: readonly string[];
};

export type TopologyPlan = {
  readonly run: string;
  readonly internet: string;
  readonly wires: string;
  readonly probe: string;
  readonly ports: readonly PartyPort[];
  readonly nats: ReadonlyMap<string, NatPlan>;
  /** Whether anything of the run has IPv6, now or later. */
  readonly hasV6: boolean;
  /** Every namespace of the run, those of parties first. */
  readonly namespaces: readonly string[];
  namespaceOf(party: string): string;
};

/** Next hops of everything that hangs directly on the internet (RFC 3927, RFC 4291 section 2.5.6): never used as a source or destination. */
const INTERNET_GATEWAY = "169.254.0.1";
const INTERNET_GATEWAY6 = "fe80::1";
/** For the classification: the last place behind a box, and hosts outside (RFC 3849). */
const LAST_HOST6 = 0xffff;
const OUTSIDE6 = "2001:db8:ffff::";
/** Longest device name (IFNAMSIZ in linux/if.h, without the closing zero). */
const DEVICE_NAME = 15;
const MOST_NATS = 127;

/** Kinds of hardware addresses, so that one tells in a capture what it is looking at. */
const MAC = { party: 1, far: 2, bridge: 3, wan: 4, natFar: 5 } as const;

/** RangeError for an unknown NAT, NATs behind each other in a circle, a party without interfaces, or too many of anything. */
export function planTopology(
  run: string,
  nats: Scenario["nats"],
  parties: Readonly<Record<string, PartyModel>>,
  willHaveV6 = false,
): TopologyPlan {
  const prefix = namespacePrefix(run);
  // Capitals: no party or NAT is called so.
  const [internet, wires, probe] = [`${prefix}INTERNET`, `${prefix}WIRES`, `${prefix}PROBE`];
  const publicHosts = addresses("198.51.100", "198.18");
  const publicNats = addresses("203.0.113", "198.19");
  const subscribers = new Map(Object.keys(nats).map((name): [string, string[]] => [name, []]));
  const natPlans = planNats(nats, { prefix, internet, publicNats, subscribers });
  const places6 = new Map<string | null, number>();
  const hosts = new Map([...natPlans.values()].map((nat) => [nat.name, addresses(nat.inside, undefined, 2, 251)]));

  const place6 = (name: string | null, nat: NatPlan | undefined, mac: string): Pick<PartyPort, "address6" | "gateway6"> => {
    const k = (places6.get(name) ?? (nat === undefined ? 0 : 1)) + 1;
    places6.set(name, k);
    return {
      address6: hostIn(prefixOfBox(nat?.number ?? 0), k),
      gateway6: nat === undefined ? { address: INTERNET_GATEWAY6, mac } : { address: hostIn(nat.prefix6, 1), mac: nat.bridgeMac },
    };
  };
  const ports: PartyPort[] = [];
  for (const [party, { interfaces }] of Object.entries(parties)) {
    const names = Object.entries(interfaces);
    if (names.length === 0) throw new RangeError(`${party}: a party needs an interface`);
    names.forEach(([name, model], preference) => {
      const k = ports.length;
      const nat = model.nat === null ? undefined : natPlans.get(model.nat);
      if (model.nat !== null && nat === undefined) throw new RangeError(`${party}/${name}: no NAT named ${model.nat}`);
      const far = { namespace: nat?.namespace ?? internet, device: `p${k}`, mac: mac(MAC.far, k) };
      const host = (nat === undefined ? publicHosts : (hosts.get(nat.name) ?? publicHosts))();
      if (nat !== undefined) subscribers.get(nat.name)?.push(host);
      ports.push({
        party,
        interface: name,
        preference,
        namespace: `${prefix}${party}`,
        device: name.length <= DEVICE_NAME ? name : `${name.slice(0, DEVICE_NAME - 4)}~${preference}`,
        mac: mac(MAC.party, k),
        address: host,
        ...place6(model.nat, nat, far.mac),
        families: familiesOf(model),
        nat: model.nat,
        gateway:
          nat === undefined ? { address: INTERNET_GATEWAY, mac: far.mac } : { address: `${nat.inside}.1`, mac: nat.bridgeMac },
        inner: `i${k}`,
        outer: `o${k}`,
        far,
      });
    });
  }
  const own = [...Object.keys(parties), ...natPlans.keys()].map((name) => `${prefix}${name}`);
  return {
    run,
    internet,
    wires,
    probe,
    ports,
    nats: natPlans,
    hasV6: willHaveV6 || ports.some(({ families }) => families.includes("v6")),
    namespaces: [...own, internet, wires],
    namespaceOf(party) {
      if (!Object.hasOwn(parties, party)) throw new RangeError(`party: none is named ${party}`);
      return `${prefix}${party}`;
    },
  };
}

type Outside = {
  readonly prefix: string;
  readonly internet: string;
  readonly publicNats: Addresses;
  readonly subscribers: ReadonlyMap<string, string[]>;
};

function planNats(nats: Scenario["nats"], { prefix, internet, publicNats, subscribers }: Outside): ReadonlyMap<string, NatPlan> {
  const names = Object.keys(nats);
  if (names.length > MOST_NATS) throw new RangeError(`nats: want at most ${MOST_NATS}, got ${names.length}`);
  const made = new Map<string, NatPlan>();
  const carriers = new Map<string, Addresses>();
  const make = (name: string, asking: readonly string[], askedBy: string): NatPlan => {
    const known = made.get(name);
    if (known !== undefined) return known;
    const model = nats[name];
    if (model === undefined) throw new RangeError(`${askedBy}: no NAT named ${name}`);
    if (asking.includes(name)) throw new RangeError(`nat ${name}: sits behind itself (${[...asking, name].join(" behind ")})`);
    const outer = model.behind === null ? undefined : make(model.behind, [...asking, name], `nat ${name}`);
    const number = names.indexOf(name) + 1;
    const outsideAddresses = outer === undefined ? publicNats : (carriers.get(outer.name) ?? publicNats);
    const far = { namespace: outer?.namespace ?? internet, device: `n${number}`, mac: mac(MAC.natFar, number) };
    const inside = `192.168.${number}`;
    const host = outsideAddresses();
    if (outer !== undefined) subscribers.get(outer.name)?.push(host);
    const plan: NatPlan = {
      name,
      number,
      model,
      namespace: `${prefix}${name}`,
      inside,
      carrier: `100.64.${number}`,
      prefix6: prefixOfBox(number),
      gateway6:
        outer === undefined
          ? { address: INTERNET_GATEWAY6, mac: far.mac }
          : { address: hostIn(outer.prefix6, 1), mac: outer.bridgeMac },
      bridgeMac: mac(MAC.bridge, number),
      wanMac: mac(MAC.wan, number),
      host,
      outsideAddresses,
      gateway:
        outer === undefined
          ? { address: INTERNET_GATEWAY, mac: far.mac }
          : { address: `${outer.carrier}.1`, mac: outer.bridgeMac },
      far,
      probe: {
        inside: [`${inside}.253`, `${inside}.254`],
        narrow: `${inside}.252`,
        outside: [`192.0.2.${2 * number - 1}`, `192.0.2.${2 * number}`],
        inside6: hostIn(prefixOfBox(number), LAST_HOST6),
        outside6: [hostIn(OUTSIDE6, 2 * number - 1), hostIn(OUTSIDE6, 2 * number)],
      },
      subscribers: subscribers.get(name) ?? [],
    };
    made.set(name, plan);
    carriers.set(name, addresses(plan.carrier, undefined, 2));
    return plan;
  };
  for (const name of names) make(name, [], `nat ${name}`);
  // In order of declaration: a NAT may have been made earlier because another is behind it.
  return new Map([...made].sort(([, a], [, b]) => a.number - b.number));
}

/** A locally administered unicast hardware address (IEEE 802c). */
const mac = (kind: number, index: number): string =>
  `02:00:00:${[kind, index >> 8, index & 255].map((octet) => octet.toString(16).padStart(2, "0")).join(":")}`;

/** Hands out `prefix`.k from `first` to `last`, then `beyond`.x.y if there is such a block. */
function addresses(prefix: string, beyond: string | undefined, first = 1, last = 254): Addresses {
  let k = first - 1;
  return () => {
    k++;
    if (k <= last) return `${prefix}.${k}`;
    if (beyond === undefined || k > 65_534) throw new RangeError(`${prefix}.0/24: more addresses needed than there are`);
    return `${beyond}.${k >> 8}.${k & 255}`;
  };
}

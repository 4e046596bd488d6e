/**
 * Arbitrary surroundings of a base scenario's parties: other links, other NATs (also one behind another), a second way out, clocks
 * that drift, IPv6. Relays stay as they are but for IPv6: their own links carry no distance.
 */
import fc from "fast-check";
import type { InterfaceModel, NatBehaviour, NatModel, PartyModel, Scenario } from "../../scenarios/expanded.ts";
import { NAT_PRESETS } from "../../scenarios/nats.ts";
import { PROFILES } from "../../scenarios/profiles.ts";

export type Topology = Pick<Scenario, "parties" | "nats">;

/** What may be varied. */
export type TopologyFeatures = {
  readonly links: boolean;
  readonly nats: boolean;
  readonly clocks: boolean;
  /** A second interface behind the first. */
  readonly detours: boolean;
  /** Clients choose whether they try direct paths. */
  readonly paths: boolean;
  /** Interfaces with IPv6, or with nothing else. */
  readonly families: boolean;
};

/**
 * chosen: links on which a call is expected to work at any time; the others promise nothing that could be held against a run. The spike of RingRTC's
 * SpikyLoss is no link but an event: where a third of all packets is lost in bursts, QUIC's probes back off for seconds.
 */
const LINKS: readonly string[] = [
  "clean",
  "lan",
  "broadband",
  "datacentre",
  "wifi-ok",
  "wifi-bad",
  "lte-move",
  "leo",
  "ringrtc-moderate",
  "ringrtc-international",
  "ringrtc-spiky-calm",
  "ringrtc-bursty-loss",
  "quic-interop",
  "quic-longrtt",
  "quic-transferloss",
];

/** chosen: crystals are within 100 ppm (RFC 5905 allows 500); audio clocks drift no more. */
const DRIFT_PPM = 200;

/** chosen: mostly as calls are set up today; `undefined`, a client that accepts no session, stays because older peers are like that. */
const POLICY: fc.Arbitrary<PartyModel["iceTransportPolicy"] | undefined> = fc.oneof(
  { weight: 4, arbitrary: fc.constant("all" as const) },
  { weight: 1, arbitrary: fc.constant("relay" as const) },
  { weight: 1, arbitrary: fc.constant(undefined) },
);

type Access = { readonly face: InterfaceModel; readonly nats: readonly (readonly [string, NatModel])[] };

const BEHAVIOURS: readonly NatBehaviour[] = ["endpoint-independent", "address-dependent", "address-and-port-dependent"];
/** RFC 4787 REQ-5: 2 min at least, 5 min recommended; 30 s: what carriers' NATs were measured to allow idle UDP (RFC 7857 section 6). */
const LIFETIMES: readonly number[] = [30, 120, 300].map((seconds) => seconds * 1_000_000);

/** Ports of a subscriber below which a call may run out of them. chosen: a call has some ten flows, and a fault moves them all; carriers give hundreds (RFC 6431). */
export const FEW_PORTS = 64;
const BLOCK: fc.Arbitrary<NonNullable<NatModel["portBlock"]>> = fc.constantFrom(FEW_PORTS, 128, 512).map((size) => ({ size }));

/** chosen: half of all home routers answer one of the three protocols; which ones do is not known from measurements. */
const PORT_MAPPING: fc.Arbitrary<NonNullable<NatModel["portMapping"]> | null> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  { weight: 3, arbitrary: fc.constantFrom("pcp" as const, "nat-pmp" as const, "upnp-igd" as const) },
);

/** One of the presets, or any of the nine pairs of mapping and filtering with other details drawn too. */
const someNat: fc.Arbitrary<NatModel> = fc.oneof(
  fc.constantFrom(...[...NAT_PRESETS.values()].map((one) => one.model)),
  fc
    .record<NatModel>({
      mapping: fc.constantFrom(...BEHAVIOURS),
      filtering: fc.constantFrom(...BEHAVIOURS),
      ports: fc.constantFrom<NatModel["ports"]>("preserve", "random", "sequential", "block"),
      hairpin: fc.constantFrom<NatModel["hairpin"]>("off", "internal-source", "external-source"),
      lifetime: fc.constantFrom(...LIFETIMES),
      inboundRefresh: fc.boolean(),
      behind: fc.constant(null),
    })
    .chain((model) => PORT_MAPPING.map((portMapping) => (portMapping === null ? model : { ...model, portMapping })))
    .chain((model) => (model.ports === "block" ? BLOCK.map((portBlock) => ({ ...model, portBlock })) : fc.constant(model))),
);
const cgnat: NatModel = NAT_PRESETS.get("cgnat")?.model ?? ([...NAT_PRESETS.values()][0] as { model: NatModel }).model;

/** No NAT, one, or one behind a carrier's. Names begin with the party's and the interface's. */
const natChain = (name: string): fc.Arbitrary<Pick<Access, "nats"> & { readonly nat: string | null }> =>
  fc.oneof(
    { weight: 1, arbitrary: fc.constant({ nats: [], nat: null }) },
    { weight: 3, arbitrary: someNat.map((model) => ({ nats: [[`${name}-nat`, model] as const], nat: `${name}-nat` })) },
    {
      weight: 1,
      arbitrary: someNat.map((model) => ({
        nats: [
          [`${name}-isp`, cgnat],
          [`${name}-nat`, { ...model, behind: `${name}-isp` }],
        ] as const,
        nat: `${name}-nat`,
      })),
    },
  );

const linkOf = (name: string): Pick<InterfaceModel, "up" | "down"> => {
  const profile = PROFILES.get(name);
  if (profile === undefined) throw new RangeError(`link profile: there is none called ${name}`);
  return { up: { ...profile.up }, down: { ...profile.down } };
};

type Families = InterfaceModel["families"];
/** chosen: IPv4 alone is what most have; IPv6 alone only where every relay has it too. */
const someFamilies = (relaysHaveIpv6: boolean): fc.Arbitrary<Families> =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant(undefined) },
    { weight: 2, arbitrary: fc.constant(["v4", "v6"] as const) },
    ...(relaysHaveIpv6 ? [{ weight: 1, arbitrary: fc.constant(["v6"] as const) }] : []),
  );

function withFamilies<T extends InterfaceModel>(
  { families: _, ...face }: T,
  families: Families,
): Omit<T, "families"> & InterfaceModel {
  return families === undefined ? face : { ...face, families };
}

function access(name: string, base: InterfaceModel, features: TopologyFeatures, relaysHaveIpv6: boolean): fc.Arbitrary<Access> {
  const link = features.links
    ? fc.oneof(fc.constant<Pick<InterfaceModel, "up" | "down">>(base), fc.constantFrom(...LINKS).map(linkOf))
    : fc.constant<Pick<InterfaceModel, "up" | "down">>(base);
  const kept = fc.constant({ nats: [], nat: base.nat });
  const nat = features.nats ? fc.oneof({ weight: 1, arbitrary: kept }, { weight: 2, arbitrary: natChain(name) }) : kept;
  const families = features.families ? someFamilies(relaysHaveIpv6) : fc.constant(base.families);
  return fc
    .tuple(link, nat, families)
    .map(([{ up, down }, { nats, nat: behind }, own]) => ({ face: withFamilies({ up, down, nat: behind }, own), nats }));
}

function withPolicy({ iceTransportPolicy: _, ...party }: PartyModel, policy: PartyModel["iceTransportPolicy"]): PartyModel {
  return policy === undefined ? party : { ...party, iceTransportPolicy: policy };
}

/** A client's surroundings, and the NATs they bring. */
function client(
  name: string,
  party: PartyModel,
  features: TopologyFeatures,
  relaysHaveIpv6: boolean,
): fc.Arbitrary<{ readonly party: PartyModel; readonly nats: Access["nats"] }> {
  const own = Object.entries(party.interfaces);
  const [first] = own;
  const detour = features.detours && own.length === 1 && first !== undefined ? fc.boolean() : fc.constant(false);
  return detour.chain((hasDetour) => {
    const faces = hasDetour && first !== undefined ? [...own, [`${first[0]}-b`, first[1]] as const] : own;
    return fc
      .record({
        accesses: fc.tuple(
          ...faces.map(([key, face], i) =>
            access(i === 0 ? name : `${name}-${key}`.slice(0, 28), face, features, relaysHaveIpv6),
          ),
        ),
        policy: features.paths ? POLICY : fc.constant(party.iceTransportPolicy),
        driftPpm: features.clocks ? fc.integer({ min: -DRIFT_PPM, max: DRIFT_PPM }) : fc.constant(party.driftPpm),
      })
      .map(({ accesses, policy, driftPpm }) => ({
        party: {
          ...withPolicy(party, policy),
          driftPpm,
          interfaces: Object.fromEntries(
            faces.map(([key], i) => [key, accesses[i]?.face ?? (first as [string, InterfaceModel])[1]]),
          ),
        },
        nats: accesses.flatMap((one) => one.nats),
      }));
  });
}

/** A relay as it is, but for IPv6: no relay is without IPv4, over which relays find each other. */
const relay = (party: PartyModel, features: TopologyFeatures, hasIpv6: boolean): PartyModel => {
  if (!features.families) return party;
  const faces = Object.entries(party.interfaces).map(([key, face]) => [
    key,
    withFamilies(face, hasIpv6 ? ["v4", "v6"] : undefined),
  ]);
  return { ...party, interfaces: Object.fromEntries(faces) };
};

/** The topology of `base`, varied as far as `features` allow. NATs that nobody is behind any more are gone. */
export function exploredTopology(base: Topology, features: TopologyFeatures): fc.Arbitrary<Topology> {
  return (features.families ? fc.boolean() : fc.constant(false)).chain((hasIpv6) => varied(base, features, hasIpv6));
}

function varied(base: Topology, features: TopologyFeatures, relaysHaveIpv6: boolean): fc.Arbitrary<Topology> {
  const parties = Object.entries(base.parties);
  const drawn = parties.map(([name, party]) =>
    party.role === "client"
      ? client(name, party, features, relaysHaveIpv6)
      : fc.constant({ party: relay(party, features, relaysHaveIpv6), nats: [] as Access["nats"] }),
  );
  return fc.tuple(...drawn).map((all) => {
    const known = new Map([...Object.entries(base.nats), ...all.flatMap((one) => one.nats)]);
    const models = Object.fromEntries(parties.map(([name, party], i) => [name, all[i]?.party ?? party]));
    return {
      parties: models,
      nats: Object.fromEntries(natsInUse(models, known).map((name) => [name, known.get(name) as NatModel])),
    };
  });
}

/** Names of the NATs that a party is behind by any of its interfaces, directly or not. */
export const natsOfParty = (party: PartyModel, nats: Scenario["nats"]): string[] =>
  natsInUse({ party }, new Map(Object.entries(nats)));

/** Names of the NATs somebody is behind, directly or not, each once, outermost last. */
export function natsInUse(parties: Scenario["parties"], nats: ReadonlyMap<string, NatModel>): string[] {
  const used = new Set<string>();
  for (const party of Object.values(parties)) {
    for (const face of Object.values(party.interfaces)) {
      for (let name = face.nat; name !== null && !used.has(name); name = nats.get(name)?.behind ?? null) used.add(name);
    }
  }
  return [...used];
}

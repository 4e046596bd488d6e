/** Reads a scenario's parties and NATs: fills in those left out, links by profile, NATs by preset. */
import { NO_FEC } from "../impl/base/fec-scheme.ts";
import type { Complaints } from "./complaints.ts";
import type { InterfaceModel, LinkModel, NatModel, PartyModel } from "./expanded.ts";
import { readFec } from "./fec-language.ts";
import { linkProblems, readLink, type WrittenLink } from "./link-language.ts";
import { readNat, type WrittenNat } from "./nat-language.ts";
import { NAT_PRESETS } from "./nats.ts";
import { PORTS } from "./port-block.ts";
import type { Place } from "./problem.ts";
import { formatTime } from "./time.ts";
import type { WrittenAccess, WrittenParty, WrittenScenario } from "./written-scenario.ts";

/** Parties and NATs by name, in the order written. */
export type Topology = { readonly parties: ReadonlyMap<string, PartyModel>; readonly nats: ReadonlyMap<string, NatModel> };

/** Links of parties that name none. */
const DEFAULT_LINK = { client: "broadband", relay: "datacentre" } as const;
/** The interface of a party that names none. */
const DEFAULT_INTERFACE = "eth0";
/** Who is there when nobody is named. */
const DEFAULT_CLIENTS = ["alice", "bob"];
const DEFAULT_RELAY = "r1";
/** Names the event log uses for itself. */
const RESERVED = ["lab", "net"];

type Reading = {
  readonly nats: Map<string, NatModel>;
  readonly written: Pick<WrittenScenario, "fec" | "tier" | "dtx" | "denoise" | "iceTransportPolicy">;
  readonly complain: Complaints;
};

export function readTopology(written: WrittenScenario, complain: Complaints): Topology {
  const nats = new Map<string, NatModel>();
  const parties = new Map<string, PartyModel>();
  const reading: Reading = { nats, written, complain };
  for (const [name, model] of Object.entries(written.nats ?? {})) nats.set(name, readNat(model));
  for (const [name, party] of filledUp(written.parties ?? {})) parties.set(name, readParty(reading, name, party));

  for (const [name, party] of parties) {
    if (RESERVED.includes(name))
      complain.say(["parties", name], `"${name}" is what the event log calls itself: want another name`);
    if (nats.has(name)) complain.say(["nats", name], `"${name}" is a party too: want names that differ, faults go by them`);
    checkParty(complain, name, party);
    checkRole(complain, parties, name, party);
  }
  for (const [name, nat] of nats) checkNat(complain, nats, name, nat);
  const clients = [...parties.values()].filter((party) => party.role === "client").length;
  if (clients < 2 || clients === parties.size) {
    complain.say(["parties"], `${clients} clients and ${parties.size - clients} relays: want at least two clients and a relay`);
  }
  return { parties, nats };
}

const roleOf = (party: WrittenParty): PartyModel["role"] => (typeof party === "string" ? "client" : (party.role ?? "client"));

/** The parties written, and the usual ones as far as clients or a relay are missing. */
function filledUp(written: Readonly<Record<string, WrittenParty>>): ReadonlyMap<string, WrittenParty> {
  const parties = new Map(Object.entries(written));
  for (const name of DEFAULT_CLIENTS) {
    const clients = [...parties.values()].filter((party) => roleOf(party) === "client").length;
    if (clients < 2 && !parties.has(name)) parties.set(name, {});
  }
  const isRelayed = [...parties.values()].some((party) => roleOf(party) === "relay");
  if (!isRelayed && !parties.has(DEFAULT_RELAY)) parties.set(DEFAULT_RELAY, { role: "relay" });
  return parties;
}

function readParty(reading: Reading, name: string, written: WrittenParty): PartyModel {
  const place = ["parties", name];
  const party = typeof written === "string" ? { link: written } : written;
  const role = roleOf(written);
  const {
    interfaces: several,
    driftPpm = 0,
    identityOf,
    startsIdle,
    losesResetKey,
    iceTransportPolicy,
    relay,
    federatesWith,
    ...own
  } = party as Exclude<WrittenParty, string>;
  if (several !== undefined) {
    for (const key of ["link", "up", "down", "nat", "families"] as const) {
      if (party[key as "link"] !== undefined)
        reading.complain.say([...place, key], "belongs to an interface when interfaces are named: want it inside one");
    }
    if (Object.keys(several).length === 0)
      reading.complain.say([...place, "interfaces"], "is empty: want at least one interface");
  }
  const listed: readonly (readonly [string, string | WrittenAccess, Place])[] =
    several === undefined
      ? [[DEFAULT_INTERFACE, party, place]]
      : Object.entries(several).map(([key, one]) => [key, one, [...place, "interfaces", key]]);
  const interfaces = listed.map(([key, one, where]): [string, InterfaceModel] => [
    key,
    readAccess(reading, { party: name, role, interface: key }, typeof one === "string" ? { link: one } : one, where),
  ]);
  if (role === "relay" && iceTransportPolicy !== undefined)
    reading.complain.say([...place, "iceTransportPolicy"], "a relay has no path of its own to choose: want it at a client");
  const policy = role === "relay" ? undefined : (iceTransportPolicy ?? reading.written.iceTransportPolicy);
  return {
    ...{ role, interfaces: Object.fromEntries(interfaces), driftPpm },
    ...(policy === undefined ? {} : { iceTransportPolicy: policy }),
    ...readVoice(reading, role, own, place),
    ...(identityOf === undefined ? {} : { identityOf }),
    ...(startsIdle === undefined ? {} : { startsIdle }),
    ...(losesResetKey === undefined ? {} : { losesResetKey }),
    ...(relay === undefined ? {} : { relay }),
    ...(federatesWith === undefined ? {} : { federatesWith }),
  };
}

function readVoice(
  { written, complain }: Reading,
  role: PartyModel["role"],
  own: Pick<WrittenScenario, "fec" | "tier" | "dtx" | "denoise"> & { readonly adaptsFec?: true | undefined },
  place: Place,
): Pick<PartyModel, "fec" | "adaptsFec" | "tier" | "dtx" | "denoise"> {
  if (role === "relay") {
    for (const key of ["fec", "tier", "dtx", "denoise"] as const)
      if (own[key] !== undefined) complain.say([...place, key], "a relay sends no media of its own: want it at a client");
    return {};
  }
  const fec = own.fec ?? written.fec;
  const scheme = fec === undefined ? NO_FEC : readFec(fec, own.fec === undefined ? ["fec"] : [...place, "fec"], complain);
  const tier = own.tier ?? written.tier ?? "good";
  return {
    ...(scheme.scheme === "none" ? {} : { fec: scheme }),
    ...(fec?.scheme === "adaptive" || own.adaptsFec === true ? { adaptsFec: true } : {}),
    ...(tier === "good" ? {} : { tier }),
    ...((own.dtx ?? written.dtx) === true ? { dtx: true } : {}),
    ...((own.denoise ?? written.denoise) === true ? { denoise: true } : {}),
  };
}

type Owner = { readonly party: string; readonly role: PartyModel["role"]; readonly interface: string };

function readAccess(reading: Reading, owner: Owner, written: WrittenAccess, place: Place): InterfaceModel {
  const both = readLink(written.link ?? DEFAULT_LINK[owner.role]);
  const links: readonly (readonly [WrittenLink | undefined, string])[] = [
    [written.link, "link"],
    [written.up, "up"],
    [written.down, "down"],
  ];
  for (const [one, key] of links) if (typeof one === "object") reading.complain.add(linkProblems(one, [...place, key]));
  return {
    up: written.up === undefined ? both.up : readLink(written.up).up,
    down: written.down === undefined ? both.down : readLink(written.down).down,
    nat: readNatOf(reading, owner, written.nat ?? null, [...place, "nat"]),
    ...(written.families === undefined ? {} : { families: [...written.families] }),
  };
}

/** The name of an interface's NAT; a preset or a model is declared for this party alone, as `alice-home` or `alice-nat`. */
function readNatOf({ nats, complain }: Reading, owner: Owner, written: WrittenNat | null, place: Place): string | null {
  if (written === null) return null;
  if (owner.role === "relay") complain.say(place, "a relay is reached at a public address: want null");
  if (typeof written === "string" && nats.has(written)) return written;
  if (typeof written === "string" && !NAT_PRESETS.has(written)) {
    complain.wantName(place, "a NAT of this scenario or a preset", written, [...nats.keys(), ...NAT_PRESETS.keys()]);
    return null;
  }
  const kind = typeof written === "string" ? written : (written.preset ?? "nat");
  const short = `${owner.party}-${kind}`;
  const name = nats.has(short) ? `${owner.party}-${owner.interface}-${kind}` : short;
  if (nats.has(name))
    complain.say(place, `would be called "${name}", which exists: want it declared in nats under a name of its own`);
  else nats.set(name, readNat(written));
  return name;
}

function checkParty(complain: Complaints, name: string, party: PartyModel): void {
  for (const [key, one] of Object.entries(party.interfaces)) {
    for (const direction of ["up", "down"] as const) checkLink(complain, one[direction], ["parties", name, key, direction]);
  }
}

/** What belongs to a client, or to a relay. */
function checkRole(complain: Complaints, parties: ReadonlyMap<string, PartyModel>, name: string, party: PartyModel): void {
  if (party.losesResetKey !== undefined && party.role === "client")
    complain.say(["parties", name, "losesResetKey"], "a client accepts no sessions: want it at a relay");
  if (party.startsIdle !== undefined && party.role === "relay")
    complain.say(["parties", name, "startsIdle"], "a relay registers with nobody: want it at a client");
  const relays = [...parties].flatMap(([one, { role }]) => (role === "relay" && one !== name ? [one] : []));
  if (party.relay !== undefined) {
    const place = ["parties", name, "relay"];
    if (party.role === "relay") complain.say(place, "a relay registers with nobody: want it at a client");
    else complain.wantName(place, "a relay", party.relay, relays);
  }
  if (party.federatesWith !== undefined) {
    const place = ["parties", name, "federatesWith"];
    if (party.role === "client") complain.say(place, "a client shares no users: want it at a relay");
    else for (const one of party.federatesWith) complain.wantName(place, "another relay", one, relays);
  }
  if (party.identityOf === undefined) return;
  const place = ["parties", name, "identityOf"];
  const others = [...parties].flatMap(([one, { role, identityOf }]) =>
    role === "client" && one !== name && identityOf === undefined ? [one] : [],
  );
  if (party.role === "relay") complain.say(place, "a relay has no identity of a client: want it at a client");
  else complain.wantName(place, "another client with an identity of its own", party.identityOf, others);
}

/** What no link can be, whether written so or made so by an impairment. */
export function checkLink(complain: Complaints, link: Pick<LinkModel, "delay" | "jitter">, place: Place): void {
  if (link.jitter > link.delay) {
    complain.say(
      place,
      `jitter ${formatTime(link.jitter)} is more than delay ${formatTime(link.delay)}, packets would arrive before they are sent: want at most the delay`,
    );
  }
}

function checkBlock(complain: Complaints, name: string, { ports, portBlock }: NatModel): void {
  const place = ["nats", name, "portBlock"];
  if (ports === "block" && portBlock === undefined)
    return complain.say(place, 'is missing: want the ports of each block, such as { "size": 512 }');
  if (portBlock === undefined) return;
  if (ports !== "block") return complain.say(place, `belongs to ports "block", not "${ports}": want one of them`);
  const most = Math.floor(PORTS / portBlock.size);
  if ((portBlock.blocks ?? 1) > most)
    complain.say(
      [...place, "blocks"],
      `${portBlock.blocks} blocks of ${portBlock.size} are more than ${PORTS} ports: want at most ${most}`,
    );
}

function checkNat(complain: Complaints, nats: ReadonlyMap<string, NatModel>, name: string, nat: NatModel): void {
  checkBlock(complain, name, nat);
  const place = ["nats", name, "behind"];
  if (nat.behind === null || !complain.wantName(place, "a NAT of this scenario", nat.behind, [...nats.keys()])) return;
  const seen = new Set([name]);
  for (let next: string | null = nat.behind; next !== null; next = nats.get(next)?.behind ?? null) {
    if (seen.has(next)) return complain.say(place, `${[...seen, next].join(" behind ")}: want a chain that ends at the internet`);
    seen.add(next);
  }
}

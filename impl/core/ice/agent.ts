/**
 * The ICE agent: finds out by which addresses this party may be reached (RFC 8445 section 5.1). Host candidates come from the host's network, reflexive
 * ones from STUN servers asked from the one socket, a mapped one from a port mapping; asked for side by side, under a timeout, after which what is there
 * has to do. Gathered again when the network changes. It numbers nothing and tells nobody: generations belong to the call (candidate-generation.ts).
 * A party that may not say where it is never starts one, so it asks nobody either.
 */
import { type Address, parseAddress } from "../../base/address.ts";
import { toHex } from "../../base/cursor.ts";
import { Instant, type Micros, millis } from "../../base/units.ts";
import type { View } from "../../base/view.ts";
import { bindingRequest, TRANSACTION_ID_BYTES } from "../../wire/stun.ts";
import type { Candidates } from "../candidate-generation.ts";
import type { HostNetwork } from "../effect.ts";
import { hostCandidates, isHostCandidate, isUsable } from "./candidate-set.ts";
import { classify, type NatKind } from "./nat-classification.ts";

export type Config = {
  /** Fresh random octets. */
  readonly entropy: (length: number) => Uint8Array;
  /** After so long a gathering yields what it has, though it goes on: what comes later is a candidate all the same, and told then. */
  readonly patience: Micros;
  /** Servers that have not answered after this never will. */
  readonly timeout: Micros;
};

/** What a port mapping gives (port-mapping.ts): the external address of the one socket's port, or undefined when there is none (any more). */
export type MappedInput = { readonly type: "mapped"; readonly address: Address | undefined };

type Question = { readonly server: Address; readonly round: number };

export type State = {
  readonly network: HostNetwork | undefined;
  /** What each server saw, of the network as it is now. */
  readonly observed: ReadonlyMap<Address, Address>;
  readonly mapped: Address | undefined;
  /** Questions without an answer: transaction (hex) to whom it was sent, in which gathering. */
  readonly asked: ReadonlyMap<string, Question>;
  /** Counts gatherings, so that an answer about the network of before is not taken for one about that of now. */
  readonly round: number;
  /** While one is under way: the servers, when it ends, when those that have not answered are asked again, and how long after that once more. */
  readonly gathering:
    | {
        readonly servers: readonly Address[];
        readonly until: Instant;
        readonly askAt: Instant;
        readonly wait: Micros;
        /** When it yields what it has; undefined: it has done so. */
        readonly yieldAt: Instant | undefined;
      }
    | undefined;
};

export type Input =
  | { readonly type: "network"; readonly network: HostNetwork }
  /** Begins, or begins again. `servers` speak STUN; without any, hosts have to do. */
  | { readonly type: "gather"; readonly servers: readonly Address[] }
  /** A server's answer. */
  | { readonly type: "response"; readonly from: Address; readonly transactionId: Uint8Array; readonly mapped: Address }
  /** The relay says unasked by which address it sees us. */
  | { readonly type: "reflected"; readonly by: Address; readonly address: Address }
  | MappedInput
  | { readonly type: "stop" }
  | { readonly type: "wake" };

export type Effect =
  | { readonly type: "packet"; readonly to: Address; readonly bytes: Uint8Array }
  /** What a gathering has found, and again when more of it is known: at most once before it is complete. Also a mapping found or lost at any other time. */
  | { readonly type: "gathered"; readonly candidates: Candidates; readonly nat: NatKind }
  /** The answer was to no question of ours, or by somebody else. */
  | { readonly type: "unexpected" };

/** An answer lost is asked for again after this, then after twice as long each time (RFC 8489 section 6.2.1 says 500 ms; chosen: nobody waits that long for a call). */
const ASK_AGAIN: Micros = millis(100);
/** Once one server has answered, the others have this long. chosen: they are asked at the same instant, and a frame and a half is not heard. */
const STRAGGLERS: Micros = millis(30);

export const start = (): State => ({
  network: undefined,
  observed: new Map(),
  mapped: undefined,
  asked: new Map(),
  round: 0,
  gathering: undefined,
});

export const deadline = (s: State): Instant | undefined =>
  Instant.earliest(s.gathering?.until, s.gathering?.askAt, s.gathering?.yieldAt);

/** What is known now. Of several reflexive addresses the first server's counts: a peer can use one at most. */
export function candidates(s: State): Candidates {
  const reflexive = [...s.observed.values()].find((one) => isUsable(one) && !isOwn(s, one));
  return {
    ...(reflexive === undefined ? {} : { reflexive }),
    local: s.network === undefined ? [] : hostCandidates(s.network),
    ...(s.mapped === undefined ? {} : { mapped: s.mapped }),
  };
}

/** A reflexive address that is a host candidate already is redundant (RFC 8445 section 5.1.3); a public IPv4 address of the host's own is not one. */
const isOwn = (s: State, of: Address): boolean => {
  const host = parseAddress(of)?.host ?? "";
  return isHostCandidate(host) && (s.network?.interfaces.some((one) => one.addresses.includes(host)) ?? false);
};

export const nat = (s: State): NatKind => classify(s.observed, s.network?.interfaces.flatMap((one) => one.addresses) ?? []);

export const view = (s: State): View => ({
  isGathering: s.gathering !== undefined,
  servers: s.observed.size,
  nat: nat(s),
  unanswered: s.asked.size,
});

/** Addresses and routes, as far as packets of ours depend on them. */
export const isSameNetwork = (a: HostNetwork | undefined, b: HostNetwork): boolean =>
  a !== undefined &&
  a.port === b.port &&
  a.gateway === b.gateway &&
  JSON.stringify(a.interfaces) === JSON.stringify(b.interfaces);

export function step(c: Config, s: State, now: Instant, input: Input): readonly [State, readonly Effect[]] {
  switch (input.type) {
    case "network":
      // What was seen of the network of before says nothing of this one.
      return isSameNetwork(s.network, input.network)
        ? [s, []]
        : [{ ...s, network: input.network, observed: new Map(), mapped: undefined, round: s.round + 1 }, []];
    case "gather": {
      const gathering = {
        ...{ servers: input.servers, until: Instant.after(now, c.timeout), askAt: now, wait: ASK_AGAIN },
        yieldAt: Instant.after(now, c.patience),
      };
      return ask(c, { ...s, observed: new Map(), round: s.round + 1, gathering }, now);
    }
    case "response": {
      const name = toHex(input.transactionId);
      const question = s.asked.get(name);
      if (question === undefined || question.server !== input.from) return [s, [{ type: "unexpected" }]];
      const asked = new Map(s.asked);
      asked.delete(name);
      if (question.round !== s.round) return [{ ...s, asked }, []];
      return settled({ ...s, asked, observed: new Map(s.observed).set(input.from, input.mapped) }, now);
    }
    case "reflected":
      return settled({ ...s, observed: new Map([[input.by, input.address], ...s.observed, [input.by, input.address]]) }, now);
    case "mapped": {
      const next = { ...s, mapped: input.address };
      return s.mapped === input.address || s.gathering?.yieldAt !== undefined ? [next, []] : [next, found(next)];
    }
    case "stop":
      return [{ ...s, asked: new Map(), gathering: undefined }, []];
    case "wake":
      if (s.gathering === undefined) return [s, []];
      if (now >= s.gathering.until) return done(s);
      if (s.gathering.yieldAt !== undefined && now >= s.gathering.yieldAt) {
        const yielded = { ...s, gathering: { ...s.gathering, yieldAt: undefined } };
        const [next, effects] = now < s.gathering.askAt ? ([yielded, []] as const) : ask(c, yielded, now);
        return [next, [...effects, ...found(s)]];
      }
      return now < s.gathering.askAt ? [s, []] : ask(c, s, now);
  }
}

/** Asks every server that has not answered. */
function ask(c: Config, s: State, now: Instant): readonly [State, readonly Effect[]] {
  const { gathering } = s;
  if (gathering === undefined) return [s, []];
  const open = gathering.servers.filter((server) => !s.observed.has(server));
  if (open.length === 0) return done(s);
  const asked = new Map([...s.asked].filter(([, question]) => question.round === s.round));
  const effects = open.map((server): Effect => {
    const transaction = c.entropy(TRANSACTION_ID_BYTES);
    asked.set(toHex(transaction), { server, round: s.round });
    return { type: "packet", to: server, bytes: bindingRequest(transaction) };
  });
  const next = { ...gathering, askAt: Instant.after(now, gathering.wait), wait: (gathering.wait * 2) as Micros };
  return [{ ...s, asked, gathering: next }, effects];
}

/** A server has answered: with the last the gathering is done, and with the first the others' time runs out. */
function settled(s: State, now: Instant): readonly [State, readonly Effect[]] {
  const { gathering } = s;
  if (gathering === undefined) return [s, []];
  if (gathering.servers.every((server) => s.observed.has(server))) return done(s);
  if (gathering.yieldAt === undefined) return [s, []];
  return [
    { ...s, gathering: { ...gathering, yieldAt: Instant.earliest(gathering.yieldAt, Instant.after(now, STRAGGLERS)) } },
    [],
  ];
}

const found = (s: State): readonly Effect[] => [{ type: "gathered", candidates: candidates(s), nat: nat(s) }];

const done = (s: State): readonly [State, readonly Effect[]] => [{ ...s, gathering: undefined }, found(s)];

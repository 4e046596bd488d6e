/**
 * A scenario as a person writes it, in TypeScript or JSON: everything but its name and its question has a default, times and
 * rates are text, links and NATs may be names. `language.ts` reads it into the expanded form; the published JSON Schema
 * comes from the schema here.
 */
import { z } from "zod";
import type { AddressFamily } from "../impl/base/address.ts";
import { JITTER_BUFFERS } from "../impl/base/jitter-buffer-name.ts";
import { TIER_CHOICES, type TierChoice } from "../impl/base/tier.ts";
import { action, type WrittenAction } from "./action-language.ts";
import { families } from "./address-family.ts";
import { crowd, type WrittenCrowd } from "./crowd-language.ts";
import type { CallModel, PartyModel, Scenario } from "./expanded.ts";
import { fault, type WrittenFault } from "./fault-language.ts";
import { fec, type WrittenFec } from "./fec-language.ts";
import { link, profileName, type WrittenLink } from "./link-language.ts";
import { nat, type WrittenNat } from "./nat-language.ts";
import { expectationSchema, JUDGED_NAMES, ORACLES, type OracleName } from "./oracles.ts";
import type { Time } from "./time.ts";
import { name, named, sentence, strict, time } from "./vocabulary.ts";

/** One access link; `up` and `down` take precedence over `link`. `nat`: a name in `nats`, a preset, or a model; null: a public address. */
export type WrittenAccess = {
  readonly link?: WrittenLink | undefined;
  readonly up?: WrittenLink | undefined;
  readonly down?: WrittenLink | undefined;
  readonly nat?: WrittenNat | null | undefined;
  /** `["v4"]` unless told. */
  readonly families?: readonly AddressFamily[] | undefined;
};

/** A profile's name (a client on that link), or a party with one interface (`eth0`) or several. */
export type WrittenParty =
  | string
  | (WrittenAccess & {
      readonly role?: PartyModel["role"] | undefined;
      readonly interfaces?: Readonly<Record<string, string | WrittenAccess>> | undefined;
      readonly driftPpm?: number | undefined;
      readonly fec?: WrittenFec | undefined;
      readonly iceTransportPolicy?: "all" | "relay" | undefined;
      readonly identityOf?: string | undefined;
      readonly startsIdle?: true | undefined;
      readonly losesResetKey?: true | undefined;
      readonly tier?: TierChoice | undefined;
      readonly relay?: string | undefined;
      readonly federatesWith?: readonly string[] | undefined;
      /** As `fec: { scheme: "adaptive" }`, beside a scheme to begin with. */
      readonly adaptsFec?: true | undefined;
      readonly dtx?: boolean | undefined;
      readonly denoise?: boolean | undefined;
    });

/** A call as written. Defaults: the first two clients by the first relay at 1 s, trusted answer after 500 ms, to the end. */
export type WrittenCall = {
  readonly caller?: string | undefined;
  readonly callee?: string | undefined;
  readonly relay?: string | undefined;
  readonly at?: Time | undefined;
  readonly answer?: CallModel["answer"] | undefined;
  readonly answerAfter?: Time | undefined;
  readonly hangUpAt?: Time | null | undefined;
  readonly callerSays?: string | undefined;
  readonly calleeSays?: string | undefined;
};

/** An oracle's name, or its name and parameters; times may be text. */
export type WrittenExpectation =
  | OracleName
  | { readonly oracle: OracleName; readonly [parameter: string]: string | number | boolean | undefined };

/** A scenario as written. */
export type WrittenScenario = {
  readonly schema?: "midcall/scenario@1" | undefined;
  readonly name: string;
  /** One sentence: the question this scenario asks. */
  readonly asks: string;
  readonly tags?: readonly string[] | undefined;
  readonly labs?: Scenario["labs"] | undefined;
  readonly duration?: Time | undefined;
  readonly jitterBuffer?: Scenario["jitterBuffer"] | undefined;
  /** What every client sends with unless it says otherwise. */
  readonly fec?: WrittenFec | undefined;
  /** Of every client that does not say otherwise: `all` (the default) or `relay`. */
  readonly iceTransportPolicy?: "all" | "relay" | undefined;
  /** What every client speaks in unless it says otherwise: `good`, `degraded`, `catastrophic`, or what the link bears. */
  readonly tier?: TierChoice | undefined;
  /** Whether a client that does not say otherwise sends nothing but the noise's level while nobody speaks. */
  readonly dtx?: boolean | undefined;
  /** Whether a client that does not say otherwise removes noise from what it says (RNNoise). */
  readonly denoise?: boolean | undefined;
  readonly nats?: Readonly<Record<string, WrittenNat>> | undefined;
  /** Filled up with clients `alice` and `bob` until there are two, and with relay `r1` until there is one. */
  readonly parties?: Readonly<Record<string, WrittenParty>> | undefined;
  readonly crowd?: WrittenCrowd | undefined;
  readonly calls?: readonly WrittenCall[] | undefined;
  readonly actions?: readonly WrittenAction[] | undefined;
  readonly faults?: readonly WrittenFault[] | undefined;
  readonly expect?: readonly WrittenExpectation[] | undefined;
  readonly twin?: Scenario["twin"] | undefined;
};

const access = {
  link: link.optional(),
  up: link.optional(),
  down: link.optional(),
  // A name in `nats` cannot be told from a misspelt preset here: `topology.ts` checks it.
  nat: z.union([name, nat, z.null()], { error: "a NAT's name, a NAT's model, or null for a public address" }).optional(),
  families: families.optional(),
};

const interfaces = named<string | WrittenAccess>(
  z.union([profileName, strict(access)], { error: "a profile's name or an object with link and nat" }) as unknown as z.ZodType<
    string | WrittenAccess,
    string | WrittenAccess
  >,
);

const party = z.union(
  [
    profileName,
    strict({
      role: z.enum(["client", "relay"]).optional(),
      ...access,
      interfaces: interfaces.optional(),
      driftPpm: z.number().min(-1_000).max(1_000).optional(),
      fec: fec.optional(),
      iceTransportPolicy: z.enum(["all", "relay"]).optional(),
      identityOf: name.optional(),
      startsIdle: z.literal(true).optional(),
      losesResetKey: z.literal(true).optional(),
      tier: z.enum(TIER_CHOICES).optional(),
      relay: name.optional(),
      federatesWith: z.array(name).min(1).max(16).optional(),
      adaptsFec: z.literal(true).optional(),
      dtx: z.boolean().optional(),
      denoise: z.boolean().optional(),
    }),
  ],
  { error: "a profile's name or an object with role, link and nat" },
) as unknown as z.ZodType<WrittenParty, WrittenParty>;

const call = strict({
  caller: name.optional(),
  callee: name.optional(),
  relay: name.optional(),
  at: time.optional(),
  answer: z.enum(["AcceptTrusted", "AcceptGeneric", "Reject", "none"]).optional(),
  answerAfter: time.optional(),
  hangUpAt: z.union([time, z.null()]).optional(),
  callerSays: z.string().min(1).optional(),
  calleeSays: z.string().min(1).optional(),
});

const oracleNames = z.enum([...ORACLES.keys()] as [OracleName, ...OracleName[]]);
const [firstOracle, ...otherOracles] = [...ORACLES.values()].map(expectationSchema);
if (firstOracle === undefined) throw new RangeError("the oracle catalogue is empty");

const expectation = z.union([oracleNames, z.discriminatedUnion("oracle", [firstOracle, ...otherOracles])], {
  error: "an oracle's name or an object with oracle and its parameters",
}) as unknown as z.ZodType<WrittenExpectation, WrittenExpectation>;

/** The written form, as far as a schema can say. */
export const writtenScenario: z.ZodType<WrittenScenario, WrittenScenario> = strict({
  schema: z.literal("midcall/scenario@1").optional(),
  name,
  asks: sentence,
  tags: z.array(name).max(20).optional(),
  labs: z
    .array(z.enum(["sim", "netns", "docker"]))
    .min(1)
    .optional(),
  duration: time.optional(),
  jitterBuffer: z.enum(JITTER_BUFFERS).optional(),
  fec: fec.optional(),
  iceTransportPolicy: z.enum(["all", "relay"]).optional(),
  tier: z.enum(TIER_CHOICES).optional(),
  dtx: z.boolean().optional(),
  denoise: z.boolean().optional(),
  nats: named(nat).optional(),
  parties: named(party).optional(),
  calls: z.array(call).max(1_000).optional(),
  crowd: crowd.optional(),
  actions: z.array(action).max(1_000).optional(),
  faults: z.array(fault).max(1_000).optional(),
  expect: z.array(expectation).max(100).optional(),
  twin: z
    .union([strict({ mutation: z.string().min(1), breaks: z.enum(JUDGED_NAMES as [string, ...string[]]) }), z.null()])
    .optional(),
}) as unknown as z.ZodType<WrittenScenario, WrittenScenario>;

/**
 * The oracles: named judgements over the event log of a run, with their parameters and defaults. A scenario's `expect`
 * names those it wants; the invariants below are judged in every run. The judging itself is in reports/.
 *
 * Words used throughout. A *frame* is 20 ms of audio given to a loudspeaker; a *source frame* carries the peer's audio
 * (`source` or `recovered` in the log). A *gap* is a maximal run of frames that are not, where the source spoke. An
 * *interruption* is a gap of 150 ms or more. A fault's *heal* is the instant it was undone, or applied when nothing is
 * undone (a rebind). Without `party`, every client of a call is judged.
 */
import { z } from "zod";
import type { RefusalReason } from "../impl/base/record.ts";
import { TIERS, type Tier } from "../impl/base/tier.ts";
import type { Expectation } from "./expanded.ts";
import { REFUSAL_REASONS } from "./log-fields.ts";
import type { Time } from "./time.ts";
import { name, share, strict, time } from "./vocabulary.ts";

/** Parameters of each oracle in the expanded form: times in microseconds, defaults filled in. */
export type OracleParameters = {
  readonly "call-connects": { readonly within: number };
  readonly "media-flows": { readonly party?: string; readonly frames: number };
  readonly "media-recovers": { readonly within: number; readonly from: "fault" | "heal"; readonly fault?: number };
  readonly "same-call": Readonly<Record<never, never>>;
  readonly "signalling-recovers": { readonly within: number };
  readonly "longest-gap": { readonly party?: string; readonly max: number };
  readonly concealment: { readonly party?: string; readonly max: number };
  readonly "no-interruption": { readonly party?: string };
  readonly "mouth-to-ear": { readonly party?: string; readonly p95: number };
  readonly "speaks-in": { readonly party?: string; readonly tier: Tier; readonly within: number };
  readonly "call-rejected": Readonly<Record<never, never>>;
  readonly "call-never-answered": Readonly<Record<never, never>>;
  readonly "ended-with": { readonly party?: string; readonly reason: string };
  readonly "path-is": { readonly party?: string; readonly path: "direct" | "relay" };
  readonly refused: { readonly party: string; readonly reason: RefusalReason; readonly atLeast: number };
  readonly "generations-fresh": Readonly<Record<never, never>>;
  readonly "as-told": { readonly within: number };
  readonly "crowd-returns": { readonly within: number; readonly peak: number };
  readonly displaced: { readonly party: string };
  readonly settles: { readonly within: number };
};

export type OracleName = keyof OracleParameters;

/** An expectation after reading: told apart by `oracle`, its parameters typed. */
export type Expected = { readonly [N in OracleName]: { readonly oracle: N } & OracleParameters[N] }[OracleName];

/** One parameter of an oracle. */
export type OracleParameter = {
  readonly name: string;
  /** What it takes, for a reader. */
  readonly takes: string;
  /** The default as one would write it; undefined: none. */
  readonly default?: Time;
  /** Whether it must be given. */
  readonly required: boolean;
  /** Times are expanded to microseconds. */
  readonly kind: "time" | "party" | "fault" | "plain";
  readonly schema: z.ZodType<Scalar, Scalar>;
};

/** One oracle of the catalogue. */
export type Oracle = { readonly name: OracleName; readonly promises: string; readonly parameters: readonly OracleParameter[] };

type Scalar = string | number | boolean;
type Given = { readonly default?: Scalar; readonly required?: boolean };

const parameter = (
  name: string,
  takes: string,
  kind: OracleParameter["kind"],
  schema: z.ZodType<Scalar, Scalar>,
  given: Given,
): OracleParameter => ({
  name,
  takes,
  kind,
  schema,
  required: given.required ?? false,
  ...(given.default !== undefined && { default: given.default as Time }),
});

const duration = (name: string, given: Given): OracleParameter => parameter(name, "a time", "time", time, given);
const oneOf = (name: string, words: readonly string[], given: Given): OracleParameter =>
  parameter(name, words.map((word) => `\`${word}\``).join(", "), "plain", z.enum(words as [string, ...string[]]), given);
const whole = (name: string, takes: string, given: Given): OracleParameter =>
  parameter(name, takes, "plain", z.int().min(1), given);
const party = (given: Given = {}): OracleParameter => parameter("party", "a client", "party", name, given);
const ratio = (name: string, given: Given): OracleParameter => parameter(name, "a share, 0 to 1", "plain", share, given);

const LIST: readonly Oracle[] = [
  {
    name: "call-connects",
    promises: "Every call is `active` at both parties within `within` of its planned answer (`at` + `answerAfter`).",
    parameters: [duration("within", { default: "2s" })],
  },
  {
    name: "media-flows",
    promises: "The party plays at least `frames` consecutive source frames.",
    parameters: [party(), whole("frames", "a whole number", { default: 10 })],
  },
  {
    name: "media-recovers",
    promises:
      "After a fault every client hears again: 10 consecutive source frames begin within `within` of the fault or its heal.",
    parameters: [
      duration("within", { required: true }),
      oneOf("from", ["fault", "heal"], { default: "heal" }),
      parameter("fault", "a fault's position, from 0 (all faults)", "fault", z.int().min(0), {}),
    ],
  },
  {
    name: "same-call",
    promises: "Each planned call is one offer and one call id, and does not end before its plan says.",
    parameters: [],
  },
  {
    name: "signalling-recovers",
    promises: "Every client that lost its registration is registered again within `within` of each heal.",
    parameters: [duration("within", { required: true })],
  },
  {
    name: "longest-gap",
    promises: "No gap in what the party hears is longer than `max`.",
    parameters: [party(), duration("max", { required: true })],
  },
  {
    name: "concealment",
    promises: "At most the share `max` of the party's frames is concealed or silent where the source spoke.",
    parameters: [party(), ratio("max", { required: true })],
  },
  { name: "no-interruption", promises: "The party hears no gap of 150 ms or more.", parameters: [party()] },
  {
    name: "mouth-to-ear",
    promises: "From capture to loudspeaker, 95 % of the party's source frames take at most `p95`.",
    parameters: [party(), duration("p95", { required: true })],
  },
  {
    name: "speaks-in",
    promises: "From `within` after the last heal to the end of the call the party speaks in this tier or a better one.",
    parameters: [party(), oneOf("tier", TIERS, { default: "good" }), duration("within", { default: "1s" })],
  },
  {
    name: "call-rejected",
    promises: "Each planned call is refused by its callee, ends for both, and no audio flows.",
    parameters: [],
  },
  { name: "call-never-answered", promises: "No call becomes active and no audio flows.", parameters: [] },
  {
    name: "ended-with",
    promises: "Each call of the party ends, for this reason.",
    parameters: [party(), parameter("reason", "text", "plain", z.string().min(1), { required: true })],
  },
  {
    name: "path-is",
    promises: "At the end of the call the party's audio takes this path.",
    parameters: [party(), oneOf("path", ["direct", "relay"], { required: true })],
  },
  {
    name: "refused",
    promises: "The party refuses at least `atLeast` inputs for this reason.",
    parameters: [
      parameter("party", "a client or relay", "party", name, { required: true }),
      oneOf("reason", REFUSAL_REASONS, { required: true }),
      whole("atLeast", "a whole number", { default: 1 }),
    ],
  },
  {
    name: "generations-fresh",
    promises: "At least one candidate update is delivered, and none that is not newer than the last one is applied.",
    parameters: [],
  },
  {
    name: "as-told",
    promises:
      "Whoever is told to register is with that relay within `within` (of the last heal, where a fault is in the way) and sets up nothing anew when it is there already; whoever is told to be idle is, and connects with nobody.",
    parameters: [duration("within", { default: "500ms" })],
  },
  {
    name: "crowd-returns",
    promises:
      "Every client of the crowd that lost its registration is registered again within `within` of the last heal, and no relay registers more than `peak` clients in any 100 ms.",
    parameters: [duration("within", { required: true }), whole("peak", "a whole number", { required: true })],
  },
  {
    name: "displaced",
    promises: "The party gives way to another client with its identity, says so, and does not come back by itself.",
    parameters: [parameter("party", "a client", "party", name, { required: true })],
  },
  {
    name: "settles",
    promises:
      "From `within` after the last heal to the end, no client that wants to be registered is without for longer than 5 s, both ends agree on whether a call is up, and in one that is nobody waits longer than 2 s for sound (5 s where a trace loses nine packets in a row).",
    parameters: [duration("within", { required: true })],
  },
];

/** The catalogue by name, in the order of the reference. */
export const ORACLES: ReadonlyMap<string, Oracle> = new Map(LIST.map((oracle) => [oracle.name, oracle]));

/** An oracle judged in every run without being listed. */
export type Invariant = { readonly name: string; readonly promises: string };

/** Judged in every run. A breach is `broken`, except where it says otherwise. */
export const INVARIANTS: readonly Invariant[] = [
  { name: "no-nonce-reuse", promises: "No (key, packet number) pair is sealed twice, across reconnects too." },
  { name: "no-double-decrypt", promises: "No (key, packet number) pair is opened twice by the same party." },
  {
    name: "packets-in-their-call",
    promises:
      "Whoever opens a packet is in the call it was sealed in, by the other party; what is played was opened, in order and once.",
  },
  {
    name: "every-frame-accounted",
    promises:
      "Every frame sent was played, recovered, late, or lost with a cause in the log: a fault, the link, congestion control, a session or process that was not there.",
  },
  {
    name: "one-supervisor",
    promises: "A client never has more than one live reconnect supervisor, nor two attempts to connect side by side.",
  },
  {
    name: "reconnects-in-order",
    promises:
      "A client waits 1, 2, 4, 8, 15, then 30 s before attempts 2, 3, ... unless its relay answers a question, and does not begin anew with the relay it is trying.",
  },
  {
    name: "calls-end-once",
    promises: "A refused call is set up for nobody, and a relay acknowledges every hang-up of a call that it knows to be over.",
  },
  {
    name: "no-stale-generation",
    promises: "No candidate update is applied, or sent, whose generation is not newer than the last.",
  },
  {
    name: "addresses-kept-private",
    promises: "In a call answered with `AcceptGeneric` no message tells the caller an address of the callee.",
  },
  {
    name: "strangers-refused",
    promises: "A relay passes on nothing from a session that is not registered, and tells it of no call.",
  },
  {
    name: "well-in-the-end",
    promises:
      "20 s after the last heal (100 s where a client was killed or hung up) and until the end, every client is registered, both ends of each call agree on whether it is up, and who is in one hears something. Runs that end earlier are not judged by it.",
  },
  { name: "everything-freed", promises: "Whoever was told to stop holds no session, call or supervisor afterwards." },
  { name: "nothing-crashed", promises: "No process exits on its own and the lab finishes; otherwise the verdict is `crashed`." },
  {
    name: "faults-left-a-trace",
    promises: "Every fault was applied and touched traffic or a process; otherwise the verdict is `inconclusive`.",
  },
];

/** Names a twin may break: every oracle and every invariant. */
export const JUDGED_NAMES: readonly string[] = [...ORACLES.keys(), ...INVARIANTS.map((invariant) => invariant.name)];

/** The typed view of an expectation of an expanded scenario; only `parseScenario`'s output may be given (it vouches for the types). */
export const expected = (expectation: Expectation): Expected => expectation as unknown as Expected;

/** The schema of an expectation on `oracle`: unknown parameters are refused, defaults are not filled in. */
export const expectationSchema = (oracle: Oracle): z.ZodObject =>
  strict({
    oracle: z.literal(oracle.name),
    ...Object.fromEntries(oracle.parameters.map((one) => [one.name, one.required ? one.schema : one.schema.optional()])),
  });

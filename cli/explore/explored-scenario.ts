/**
 * One scenario from one seed: a base of the catalogue with its topology kept or varied, a fault schedule of its own, and only those
 * promises that hold whatever the faults. The seed alone decides (it seeds fast-check for one draw), so every case is
 * reproducible by itself, and what is kept of a finding is the scenario and not the seed.
 */
import fc from "fast-check";
import { invariant } from "../../impl/base/invariant.ts";
import { Stream } from "../../impl/base/random.ts";
import { SETTLE, SETTLE_AFTER_CLIENT } from "../../reports/judge-settling.ts";
import type { Expectation, Fault, Scenario } from "../../scenarios/expanded.ts";
import { parseScenario } from "../../scenarios/language.ts";
import { DRAWN_KINDS, type DrawnKind, exploredFaults, totalLength } from "./explored-faults.ts";
import { actionsOf, exploredPlan } from "./explored-plan.ts";
import { exploredRelays, type Relays } from "./explored-relays.ts";
import { exploredTopology, FEW_PORTS, type Topology, type TopologyFeatures } from "./explored-topology.ts";
import { exploredVoice, spoken } from "./explored-voice.ts";
import { scarcePorts } from "./scarce-ports.ts";

const seconds = (value: number): number => value * 1_000_000;

/** How long the settled state is watched. chosen: longer than the silence and the doubt that `settles` allows. */
const WATCH = seconds(6);
/**
 * Calls are put off by this where they are promised to come up. chosen: a client whose first packets are lost registers after 1, 3 or 7 s
 * (the probe timeouts of RFC 9002), and who calls somebody not registered yet is told so.
 */
const REGISTER = seconds(7);
/**
 * Calls are up and heard by then, counted from their planned answer. chosen: set-up takes up to five ways from end to end, four seconds on the longest links drawn
 * (750 ms at each end), and voice one more; who is killed before has heard nothing.
 */
const SET_UP = seconds(6);
/** Faults strike within this time. chosen: short enough for thousands of runs, long enough for faults to meet or miss each other. */
const WINDOW = seconds(15);
/** A call outlives being torn for so long together: relays give up on a party after 60 s. chosen: with room for the reconnects. */
const BEARABLE = seconds(40);
/** Faults of a run. chosen: most bugs need two or three; more make runs long and shrinking slow. */
const MOST_FAULTS = 8;
/** Explored calls come up within this. chosen: ten times what they take on the slowest link drawn. */
const CONNECT = seconds(10);

/**
 * One seed in so many, of those whose plans are varied, has a call that nobody answers. chosen: it has no media for faults to be about, so few are enough. Drawn beside
 * everything else, so that all other seeds are what they are without it.
 */
const UNANSWERED = 50;

type Features = TopologyFeatures & {
  /** A second relay, a stranger or a partner of the first, and users who move. */
  readonly relays: boolean;
  /** Tiers and forward error correction. */
  readonly voices: boolean;
  /** The callee may hide its address, either end may hang up before the end, or leave its relay and come back. */
  readonly plans: boolean;
  readonly triggers: boolean;
  /** Carriers that have a handful of ports for each subscriber. */
  readonly scarcity: boolean;
  /** Faults may strike before the calls are up. */
  readonly early: boolean;
  readonly kinds: readonly DrawnKind[];
};

/** chosen: a killed client makes a run four times as long, so it is drawn less often. */
const FEATURES: fc.Arbitrary<Features> = fc.record({
  links: fc.constant(true),
  nats: fc.constant(true),
  clocks: fc.constant(true),
  detours: fc.constant(true),
  paths: fc.constant(true),
  families: fc.boolean(),
  relays: fc.constant(true),
  voices: fc.constant(true),
  plans: fc.constant(true),
  triggers: fc.constant(true),
  scarcity: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  early: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  kinds: fc
    .oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) })
    .map((isKilling) => DRAWN_KINDS.filter((kind) => isKilling || kind !== "kill-client")),
});

/** Swarm: each seed leaves out half of everything, so that what is left meets more often (Groce et al. 2012). */
const SWARM: fc.Arbitrary<Features> = fc.record({
  links: fc.boolean(),
  nats: fc.boolean(),
  clocks: fc.boolean(),
  detours: fc.boolean(),
  paths: fc.boolean(),
  families: fc.boolean(),
  relays: fc.boolean(),
  voices: fc.boolean(),
  plans: fc.boolean(),
  triggers: fc.boolean(),
  scarcity: fc.boolean(),
  early: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  kinds: fc
    .tuple(
      fc.subarray(
        DRAWN_KINDS.filter((kind) => kind !== "kill-client"),
        { minLength: 1, maxLength: 6 },
      ),
      fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    )
    .map(([kinds, isKilling]) => (isKilling ? [...kinds, "kill-client" as const] : kinds)),
});

/** Whether what must always hold can be asked of any schedule of faults around this base: it is no crowd, and its users' actions leave all parties at one relay. */
export function isExplorable({ actions = [], calls, crowd, nats, parties }: Scenario): boolean {
  // Mappings that moved leave their ports behind: who has but a few may have none for the relay, and no promise can be kept.
  if (Object.values(nats).some(({ portBlock }) => portBlock !== undefined && portBlock.size < FEW_PORTS)) return false;
  // Few of the calls drawn are to be unanswered, and which ones is drawn.
  if (calls.some((call) => call.answer === "none")) return false;
  if (crowd !== undefined || Object.values(parties).some((party) => party.startsIdle === true)) return false;
  const last = new Map(actions.map((one) => [one.party, one.does === "register" ? one.relay : one.does]));
  const moved = new Set(last.values());
  const clients = Object.values(parties).filter((party) => party.role === "client").length;
  return last.size === 0 || (moved.size === 1 && last.size === clients && !moved.has("deregister") && !moved.has("hang-up"));
}

/** Removal of noise costs a hundred times what all else in a simulated call does, and sized frames have no noise in them. */
const withoutDenoise = (base: Scenario): Scenario => ({
  ...base,
  parties: Object.fromEntries(Object.entries(base.parties).map(([name, { denoise: _, ...party }]) => [name, party])),
});

/** The scenario of `seed` around one of `bases` that are explorable (at least one, else RangeError). `parseScenario` reads it as itself. */
export function exploredScenario(given: readonly Scenario[], seed: number, isSwarm: boolean): Scenario {
  const bases = given.filter(isExplorable).map(withoutDenoise);
  if (bases.length === 0) throw new RangeError("bases: want at least one scenario whose users leave all parties at one relay");
  const draw = new Stream(seed, isSwarm ? "explore/swarm" : "explore").nextUint32() | 0;
  const [scenario] = fc.sample(explored(bases, seed, isSwarm), { seed: draw, numRuns: 1, unbiased: true });
  const parsed = parseScenario(scenario);
  invariant(parsed.ok, `seed ${seed} gives no scenario: ${parsed.ok ? "" : JSON.stringify(parsed.problems)}`);
  return parsed.scenario;
}

function explored(bases: readonly Scenario[], seed: number, isSwarm: boolean): fc.Arbitrary<Scenario> {
  return fc.record({ base: fc.constantFrom(...bases), features: isSwarm ? SWARM : FEATURES }).chain(({ base, features }) => {
    const up =
      Math.max(seconds(1), ...base.calls.map((call) => call.at + call.answerAfter)) + (features.early ? 0 : REGISTER) + SET_UP;
    const from = features.early ? ms(10) : up;
    const drawn = exploredRelays(base, up, features.relays).chain((relays) =>
      fc.tuple(
        fc.constant(relays),
        exploredTopology({ ...base, parties: relays.parties }, features).chain(({ parties, nats }) =>
          exploredVoice(parties, features.voices).map((voiced): Topology => ({ parties: voiced, nats })),
        ),
        exploredPlan(features, WINDOW),
      ),
    );
    return drawn.chain(([relays, topology, plan]) => {
      const isUnanswered = features.plans && new Stream(seed, "explore/unanswered").nextBelow(UNANSWERED) === 0;
      const calls = base.calls.map((call) => ({
        ...spoken(call, topology),
        at: call.at + (features.early ? 0 : REGISTER),
        answer: isUnanswered
          ? ("none" as const)
          : plan.isPrivate && call.answer === "AcceptTrusted"
            ? ("AcceptGeneric" as const)
            : call.answer,
        hangUpAt: plan.ending.how === "caller hangs up" ? up + plan.ending.at : null,
      }));
      const endings = calls
        .slice(0, 1)
        .flatMap((call) => actionsOf(plan, up, call.callee, topology.parties[call.callee]?.relay ?? call.relay));
      const stage = { from, to: from + WINDOW, isUp: !features.early, triggers: features.triggers };
      // Who moves among relays has enough to do.
      const actions = relays.actions.length === 0 ? endings : relays.actions;
      const acting = {
        ...base,
        ...(actions.length === 0 ? {} : { actions }),
        jitterBuffer: plan.jitterBuffer ?? base.jitterBuffer,
      };
      return exploredFaults(topology, stage, features.kinds, MOST_FAULTS)
        .chain((faults) =>
          features.scarcity && actions.length === 0
            ? scarcePorts(topology, faults).map((scarce) => ({ faults, scarce }))
            : fc.constant({ faults, scarce: topology }),
        )
        .map(({ faults, scarce }) => assembled({ ...acting, calls }, scarce, { faults, features, relays, seed }));
    });
  });
}

/** Whether a user ends a call before the scenario does. */
const isEnded = ({ actions = [], calls }: Scenario): boolean =>
  calls.some((call) => call.hangUpAt !== null) || actions.some(({ does }) => does !== "register");

const ms = (value: number): number => value * 1_000;

type Drawn = {
  readonly faults: readonly Fault[];
  readonly features: Features;
  readonly relays: Relays;
  readonly seed: number;
};

function assembled(base: Scenario, topology: Topology, { faults, features, relays, seed }: Drawn): Scenario {
  const isClientKilled = faults.some((one) => one.kind === "kill" && topology.parties[one.target]?.role === "client");
  const ringing = killedRinging(base, topology, faults);
  const isQuiet = !features.early && ringing !== "lost" && !mayStrikeEarly(topology, faults);
  // A hang-up that is lost leaves the other end waiting as long as a party that died.
  const within = isClientKilled || isEnded(base) ? SETTLE_AFTER_CLIENT : SETTLE;
  // A triggered fault strikes late at most by as much as it waits; where it comes even later, `settles` says it cannot judge.
  const timed = faults.map((one) => ("at" in one.when ? one.when.at : 0) + (one.for ?? 0));
  const triggered = faults.map((one) => ("after" in one.when ? one.when.after.delay + (one.for ?? 0) + seconds(2) : 0));
  const acts = (base.actions ?? []).map(({ when }) => ("at" in when ? when.at : 0));
  const last = Math.max(...timed, ...acts, relays.lastMove, seconds(5)) + Math.max(...triggered);
  const planned = Math.max(0, ...base.calls.map((call) => call.at + call.answerAfter)) + CONNECT;
  const whole = Math.ceil((Math.max(last, planned) + within + WATCH) / seconds(1)) * seconds(1);
  return {
    ...base,
    ...topology,
    asks: `Does all that must always hold, hold here? Explored from ${base.name} by seed 0x${seed.toString(16)}.`,
    tags: ["explored"],
    labs: ["sim"],
    duration: whole,
    faults,
    expect: promises(base, faults, {
      ...{ within, isQuiet, isClientKilled, apart: relays.apart },
      isAudible: !mayStarve(topology),
      connectsWithin: ringing === "late" ? CONNECT + totalLength(faults) + SETTLE : CONNECT,
    }),
    twin: null,
  };
}

/**
 * What becomes of a call whose client may die before it is up: on a link slower than a session's silence a client reconnects by itself before that, and what
 * waits for that strikes then. A callee that is started anew is rung again, so its call comes up late. Lost is the call whose caller dies: nobody expects a phone
 * that was started anew to dial by itself. Lost, too, may be one whose relay forgets it while its callee is away, since who calls somebody unknown is told so.
 */
function killedRinging(
  { actions = [], calls }: Scenario,
  { parties }: Topology,
  faults: readonly Fault[],
): "no" | "late" | "lost" {
  const killed = faults.filter((one) => one.kind === "kill" && parties[one.target]?.role === "client" && "after" in one.when);
  if (killed.length === 0) return "no";
  const isCaller = killed.some((one) => calls.some((call) => call.caller === one.target));
  const mayForget = actions.length > 0 || faults.some((one) => parties[one.target]?.role === "relay");
  return isCaller || mayForget || totalLength(faults) > BEARABLE ? "lost" : "late";
}

/** Half a round trip of a party's link from which its client reconnects by itself. chosen: a session takes a second for silence, less what the other links and jitter add. */
const SLOW = 350_000;

/** Whether what waits for a client to reconnect may strike before the call is up: on a link slower than a session's silence it does so without a fault. */
function mayStrikeEarly({ parties }: Topology, faults: readonly Fault[]): boolean {
  const links = Object.values(parties).flatMap(({ interfaces }) => Object.values(interfaces));
  return faults.some((one) => "after" in one.when) && links.some(({ up, down }) => up.delay + down.delay >= 2 * SLOW);
}

/**
 * One way, jitter included, from which a run of losses keeps voice back for seconds. chosen: RingRTC's international link, 250 ms and 100 of jitter, has a probe
 * timeout of 440 ms (RFC 9002 section 6.2.1); where the run outlasts three of them, each twice the last, that is 3.1 s without a word. The next nearest link drawn, 100 and 25 ms, needs four.
 */
const FAR = 300_000;

/**
 * Whether voice may be kept back for seconds without a fault: where some links lose packets in runs and some are far. Nothing leaves but two probes a timeout while all that was sent
 * is unanswered, and what is lost counts as congestion (RFC 9002 section 7.6.2). A call goes on there, but nobody can promise that it is heard at any time.
 */
function mayStarve({ parties }: Topology): boolean {
  const links = Object.values(parties).flatMap(({ interfaces }) =>
    Object.values(interfaces).flatMap(({ up, down }) => [up, down]),
  );
  return links.some(({ delay, jitter }) => delay + jitter >= FAR) && links.some(({ burst }) => burst !== null);
}

/** What must hold whatever the faults: the base's own promises are about its own faults, and are dropped. */
function promises(
  base: Scenario,
  faults: readonly Fault[],
  run: {
    readonly within: number;
    readonly isQuiet: boolean;
    readonly isClientKilled: boolean;
    readonly apart: number;
    readonly isAudible: boolean;
    readonly connectsWithin: number;
  },
): Expectation[] {
  const { calls } = base;
  // What is left of it where voice may starve is the invariant well-in-the-end.
  const expect: Expectation[] = run.isAudible ? [{ oracle: "settles", within: run.within }] : [];
  if (calls.length === 0) return expect;
  const answers = new Set(calls.map((call) => call.answer));
  const isAnswered = !answers.has("none") && !answers.has("Reject");
  if (answers.has("none") && run.isQuiet) expect.push({ oracle: "call-never-answered" });
  if (answers.size === 1 && answers.has("Reject") && run.isQuiet) expect.push({ oracle: "call-rejected" });
  if (!isAnswered || !run.isQuiet) return expect;
  expect.push({ oracle: "call-connects", within: run.connectsWithin }, { oracle: "media-flows", frames: 10 });
  const isCut = (base.actions ?? []).some(({ does }) => does !== "register");
  if (!run.isClientKilled && !isCut && totalLength(faults) + run.apart <= BEARABLE) expect.push({ oracle: "same-call" });
  return expect;
}

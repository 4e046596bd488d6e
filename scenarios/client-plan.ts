/** What a scenario's calls mean for one client: whom it registers with, what it says, how it answers. The same in every laboratory. */
import { type FecScheme, NO_FEC } from "../impl/base/fec-scheme.ts";
import type { TierChoice } from "../impl/base/tier.ts";
import type { CallModel, Scenario } from "./expanded.ts";

export type ClientPlan = {
  readonly fec: FecScheme;
  readonly voice: { readonly tier: TierChoice; readonly adaptsFec: boolean; readonly dtx: boolean; readonly denoise: boolean };
  /** Undefined: it accepts no sessions. */
  readonly iceTransportPolicy: "all" | "relay" | undefined;
  /** Relays it may ask for its reflexive address by STUN besides its own. */
  readonly stun: readonly string[];
  /** Name of the relay it registers with at the start; undefined: with none. */
  readonly relay: string | undefined;
  /** `tone`, a recording's name, or a path to a WAV file. */
  readonly says: string;
  /** Undefined: it never answers. `after` is microseconds from ringing. */
  readonly answer: { readonly mode: Exclude<CallModel["answer"], "none">; readonly after: number } | undefined;
};

/** The plan of client `name`; one that is in no call registers with the first relay and says a tone. */
export function clientPlan(scenario: Scenario, name: string): ClientPlan {
  const party = scenario.parties[name];
  const called = scenario.calls.find((one) => one.callee === name);
  const calling = scenario.calls.find((one) => one.caller === name);
  const first = Object.entries(scenario.parties).find(([, party]) => party.role === "relay")?.[0];
  const ofCall = scenario.calls.find((one) => one.caller === name || one.callee === name)?.relay;
  const relay = scenario.parties[name]?.relay ?? ofCall ?? first;
  const relays = Object.entries(scenario.parties).flatMap(([other, party]) => (party.role === "relay" ? [other] : []));
  return {
    iceTransportPolicy: party?.iceTransportPolicy,
    stun: relays.filter((other) => other !== relay),
    fec: party?.fec ?? NO_FEC,
    voice: {
      tier: party?.tier ?? "good",
      adaptsFec: party?.adaptsFec === true,
      dtx: party?.dtx === true,
      denoise: party?.denoise === true,
    },
    relay: party?.startsIdle === true ? undefined : relay,
    says: calling?.callerSays ?? called?.calleeSays ?? "tone",
    answer: called === undefined || called.answer === "none" ? undefined : { mode: called.answer, after: called.answerAfter },
  };
}

/** The relays that relay `name` shares its users with: those it names, and those that name it. */
export const federates = (scenario: Scenario, name: string): readonly string[] =>
  Object.entries(scenario.parties).flatMap(([other, party]) =>
    party.federatesWith?.includes(name) === true || scenario.parties[name]?.federatesWith?.includes(other) === true
      ? [other]
      : [],
  );

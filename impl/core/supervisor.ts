/**
 * The signal reconnect supervisor: keeps a client registered with the relay its user wants, one attempt at a time, for ever.
 * `desired` is the relay the user wants now; none means the user asked for idle, which is how "dropped, retry" is told from
 * "deregistered, stop". There is one machine per client, so there can never be two supervisors.
 */
import type { Address } from "../base/address.ts";
import type { RegistrationRecord } from "../base/record.ts";
import { Instant, type Micros, millis, seconds, toMillis } from "../base/units.ts";
import type { View } from "../base/view.ts";

/**
 * Where a relay is and how to know it: SHA-256 of its certificate, lowercase hex. `token` when the relay admits by token. `also`: more addresses of the
 * same relay, less preferred ones; it is known by the first.
 */
export type RelayTarget = {
  readonly address: Address;
  readonly also?: readonly Address[];
  readonly pin: string;
  readonly token?: string;
};

export type Config = {
  /** Waits before attempt 2, 3, ...; the last one repeats. The first attempt of a reconnect never waits. */
  readonly backoff: readonly Micros[];
};

/** 1, 2, 4, 8, 15, then 30 s for ever. chosen: quick enough for a relay that restarts, gentle enough for one that is gone. */
export const DEFAULT_BACKOFF: readonly Micros[] = [1, 2, 4, 8, 15, 30].map((length) => seconds(length));

/** What the attempts are for: a first registration, the one that was lost, or one with another relay while there is a registration to leave. */
export type Aim = "connecting" | "reconnecting" | "switching";

export type State =
  | { readonly at: "idle" }
  | {
      readonly at: "attempting";
      readonly relay: RelayTarget;
      readonly attempt: number;
      readonly since: Instant;
      readonly aim: Aim;
      /** Begun on a sign of life, so not into the void. */
      readonly informed: boolean;
    }
  | {
      readonly at: "waiting";
      readonly relay: RelayTarget;
      readonly attempt: number;
      readonly until: Instant;
      readonly aim: Aim;
    }
  | { readonly at: "registered"; readonly relay: RelayTarget };

export type Input =
  /** The user wants this relay, or none. The same relay again is a no-op. */
  | { readonly type: "desire"; readonly relay: RelayTarget | undefined }
  /** The attempt under way ended with a registration. */
  | { readonly type: "succeeded" }
  /** The attempt under way failed. */
  | { readonly type: "failed"; readonly reason: string }
  /** The registration is gone or in doubt (session closed or silent). The first attempt is made after `wait`, at once where there is none. */
  | { readonly type: "lost"; readonly reason: string; readonly wait?: Micros }
  /** The doubt was unfounded: the registered session is heard again. */
  | { readonly type: "restored" }
  /**
   * The relay showed a sign of life: try now rather than after the wait. An attempt under way is replaced when it must have been lost: it
   * began well before what was answered was sent (`asked`), or, where that is not known (a stateless reset), it began blindly. `dialledAt`: when
   * the attempt dialled the address that answers, if it did.
   */
  | { readonly type: "alive"; readonly asked?: Instant | undefined; readonly dialledAt?: Instant | undefined }
  | { readonly type: "wake" };

export type Effect =
  /** Open a session to `relay` and register; drop any attempt still under way. */
  | { readonly type: "attempt"; readonly relay: RelayTarget; readonly number: number }
  /** Drop the attempt under way. */
  | { readonly type: "abandon" }
  /** Close the registration on purpose (switch or deregister). */
  | { readonly type: "release" }
  | { readonly type: "say"; readonly saying: RegistrationRecord };

/**
 * A question asked so soon after an attempt found the same relay as the attempt did: its answer says nothing against it, and to begin anew would cost a round trip. Should
 * the relay have come back in between, the next question tells. chosen: a busy process asks so much later than it dials.
 */
const TOGETHER: Micros = millis(20);

/** Whether what was dialled then, and has not answered, must have been lost: the relay has answered a question that was asked well after it. */
export const mustBeLost = (dialledAt: Instant, asked: Instant): boolean => Instant.after(dialledAt, TOGETHER) < asked;

export const start = (): State => ({ at: "idle" });

export const deadline = (s: State): Instant | undefined => (s.at === "waiting" ? s.until : undefined);

/** 1 while a supervisor is at work, else 0. */
export const supervisors = (s: State): number => (s.at === "attempting" || s.at === "waiting" ? 1 : 0);

/** The relay the user wants now. */
export const desired = (s: State): RelayTarget | undefined => (s.at === "idle" ? undefined : s.relay);

/** Where it stands; the relay's token is not shown. */
export function view(s: State): View {
  if (s.at === "idle") return { at: s.at };
  const { relay, ...rest } = s;
  return { ...rest, relay: relay.address };
}

export function step(c: Config, s: State, now: Instant, input: Input): readonly [State, readonly Effect[]] {
  switch (input.type) {
    case "desire":
      return desire(s, now, input.relay);
    case "succeeded":
      if (s.at !== "attempting") return [s, []];
      return [
        { at: "registered", relay: s.relay },
        [
          said({
            state: "registered",
            relay: s.relay.address,
            attempt: s.attempt,
            supervisors: 0,
            ...(s.aim === "switching" ? { reason: SWITCHED } : {}),
          }),
        ],
      ];
    case "failed": {
      if (s.at !== "attempting") return [s, []];
      const wait = c.backoff[Math.min(s.attempt, c.backoff.length) - 1] ?? millis(0);
      return waiting(s.relay, s.attempt + 1, now, wait, s.aim, input.reason);
    }
    case "lost":
      if (s.at !== "registered") return [s, []];
      if (input.wait !== undefined && input.wait > 0) return waiting(s.relay, 1, now, input.wait, "reconnecting", input.reason);
      return attempt(s.relay, 1, now, "reconnecting", input.reason);
    case "restored":
      if (s.at !== "attempting" && s.at !== "waiting") return [s, []];
      return [
        { at: "registered", relay: s.relay },
        [{ type: "abandon" }, said({ state: "registered", relay: s.relay.address, supervisors: 0, reason: "heard again" })],
      ];
    case "alive":
      if (
        s.at === "waiting" ||
        (s.at === "attempting" && (input.asked === undefined ? !s.informed : mustBeLost(input.dialledAt ?? s.since, input.asked)))
      )
        return attempt(s.relay, s.attempt, now, s.aim, ALIVE);
      return [s, []];
    case "wake":
      if (s.at !== "waiting" || now < s.until) return [s, []];
      return attempt(s.relay, s.attempt, now, s.aim);
  }
}

function desire(s: State, now: Instant, relay: RelayTarget | undefined): readonly [State, readonly Effect[]] {
  if (relay === undefined) {
    if (s.at === "idle") return [s, []];
    return [{ at: "idle" }, [{ type: "abandon" }, { type: "release" }, said({ state: "idle", supervisors: 0 })]];
  }
  if (s.at === "idle") return attempt(relay, 1, now, "connecting");
  if (s.relay.address === relay.address && s.relay.pin === relay.pin) return [s, []];
  const aim = s.at === "registered" ? "switching" : s.aim;
  const [next, effects] = attempt(relay, 1, now, aim, "relay changed");
  return [next, [{ type: "abandon" }, { type: "release" }, ...effects]];
}

function attempt(
  relay: RelayTarget,
  number: number,
  now: Instant,
  aim: Aim,
  reason?: string,
): readonly [State, readonly Effect[]] {
  const next: State = { at: "attempting", relay, attempt: number, since: now, aim, informed: reason === ALIVE };
  return [next, [said(retry(next, millis(0), reason)), { type: "attempt", relay, number }]];
}

/** Attempt `number` is due after `wait`. */
function waiting(
  relay: RelayTarget,
  number: number,
  now: Instant,
  wait: Micros,
  aim: Aim,
  reason: string,
): readonly [State, readonly Effect[]] {
  const next: State = { at: "waiting", relay, attempt: number, until: Instant.after(now, wait), aim };
  return [next, [said(retry(next, wait, reason))]];
}

const ALIVE = "relay answers";

/** Reason of a registration with another relay than before that nothing had lost: the user's switch, or a relay's request to leave. */
export const SWITCHED = "switched";

const said = (fields: Omit<RegistrationRecord, "ev">): Effect => ({ type: "say", saying: { ev: "registration", ...fields } });

const retry = (
  s: State & { readonly at: "attempting" | "waiting" },
  wait: Micros,
  reason: string | undefined,
): Omit<RegistrationRecord, "ev"> => ({
  state: s.aim,
  relay: s.relay.address,
  attempt: s.attempt,
  delayMs: toMillis(wait),
  supervisors: 1,
  ...(reason === undefined ? {} : { reason }),
});

/**
 * The signal reconnect supervisor: keeps a client registered with the relay its user wants, one attempt at a time, for ever.
 * `desired` is the relay the user wants now; none means the user asked for idle, which is how "dropped, retry" is told from
 * "deregistered, stop". There is one machine per client, so there can never be two supervisors.
 */
import type { Address } from "../base/address.ts";
import type { RegistrationRecord } from "../base/record.ts";
import { Instant, type Micros, millis, seconds, toMillis } from "../base/units.ts";
import type { View } from "../base/view.ts";

/** Where a relay is and how to know it: SHA-256 of its certificate, lowercase hex. `token` when the relay admits by token. */
export type RelayTarget = { readonly address: Address; readonly pin: string; readonly token?: string };

export type Config = {
  /** Waits before attempt 2, 3, ...; the last one repeats. The first attempt of a reconnect never waits. */
  readonly backoff: readonly Micros[];
};

/** 1, 2, 4, 8, 15, then 30 s for ever. chosen: quick enough for a relay that restarts, gentle enough for one that is gone. */
export const DEFAULT_BACKOFF: readonly Micros[] = [1, 2, 4, 8, 15, 30].map((length) => seconds(length));

export type State =
  | { readonly at: "idle" }
  | {
      readonly at: "attempting";
      readonly relay: RelayTarget;
      readonly attempt: number;
      readonly since: Instant;
      readonly again: boolean;
      /** Begun on a sign of life, so not into the void. */
      readonly informed: boolean;
    }
  | {
      readonly at: "waiting";
      readonly relay: RelayTarget;
      readonly attempt: number;
      readonly until: Instant;
      readonly again: boolean;
    }
  | { readonly at: "registered"; readonly relay: RelayTarget };

export type Input =
  /** The user wants this relay, or none. The same relay again is a no-op. */
  | { readonly type: "desire"; readonly relay: RelayTarget | undefined }
  /** The attempt under way ended with a registration. */
  | { readonly type: "succeeded" }
  /** The attempt under way failed. */
  | { readonly type: "failed"; readonly reason: string }
  /** The registration is gone or in doubt (session closed or silent). */
  | { readonly type: "lost"; readonly reason: string }
  /** The doubt was unfounded: the registered session is heard again. */
  | { readonly type: "restored" }
  /**
   * The relay showed a sign of life: try now rather than after the wait. An attempt under way is replaced when it must have been lost: it
   * began before what was answered was sent (`asked`), or, where that is not known (a stateless reset), it began blindly.
   */
  | { readonly type: "alive"; readonly asked: Instant | undefined }
  | { readonly type: "wake" };

export type Effect =
  /** Open a session to `relay` and register; drop any attempt still under way. */
  | { readonly type: "attempt"; readonly relay: RelayTarget }
  /** Drop the attempt under way. */
  | { readonly type: "abandon" }
  /** Close the registration on purpose (switch or deregister). */
  | { readonly type: "release" }
  | { readonly type: "say"; readonly saying: RegistrationRecord };

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
        [said({ state: "registered", relay: s.relay.address, attempt: s.attempt, supervisors: 0 })],
      ];
    case "failed": {
      if (s.at !== "attempting") return [s, []];
      const wait = c.backoff[Math.min(s.attempt, c.backoff.length) - 1] ?? millis(0);
      const next: State = {
        at: "waiting",
        relay: s.relay,
        attempt: s.attempt + 1,
        until: Instant.after(now, wait),
        again: s.again,
      };
      return [next, [said(retry(next, wait, input.reason))]];
    }
    case "lost":
      if (s.at !== "registered") return [s, []];
      return attempt(s.relay, 1, now, true, input.reason);
    case "restored":
      if (s.at !== "attempting" && s.at !== "waiting") return [s, []];
      return [
        { at: "registered", relay: s.relay },
        [{ type: "abandon" }, said({ state: "registered", relay: s.relay.address, supervisors: 0, reason: "heard again" })],
      ];
    case "alive":
      if (s.at === "waiting" || (s.at === "attempting" && (input.asked === undefined ? !s.informed : s.since < input.asked)))
        return attempt(s.relay, s.attempt, now, s.again, ALIVE);
      return [s, []];
    case "wake":
      if (s.at !== "waiting" || now < s.until) return [s, []];
      return attempt(s.relay, s.attempt, now, s.again);
  }
}

function desire(s: State, now: Instant, relay: RelayTarget | undefined): readonly [State, readonly Effect[]] {
  if (relay === undefined) {
    if (s.at === "idle") return [s, []];
    return [{ at: "idle" }, [{ type: "abandon" }, { type: "release" }, said({ state: "idle", supervisors: 0 })]];
  }
  if (s.at === "idle") return attempt(relay, 1, now, false);
  if (s.relay.address === relay.address && s.relay.pin === relay.pin) return [s, []];
  const [next, effects] = attempt(relay, 1, now, false, "relay changed");
  return [next, [{ type: "abandon" }, { type: "release" }, ...effects]];
}

function attempt(
  relay: RelayTarget,
  number: number,
  now: Instant,
  again: boolean,
  reason?: string,
): readonly [State, readonly Effect[]] {
  const next: State = { at: "attempting", relay, attempt: number, since: now, again, informed: reason === ALIVE };
  return [next, [said(retry(next, millis(0), reason)), { type: "attempt", relay }]];
}

const ALIVE = "relay answers";

const said = (fields: Omit<RegistrationRecord, "ev">): Effect => ({ type: "say", saying: { ev: "registration", ...fields } });

const retry = (
  s: State & { readonly at: "attempting" | "waiting" },
  wait: Micros,
  reason: string | undefined,
): Omit<RegistrationRecord, "ev"> => ({
  state: s.again ? "reconnecting" : "connecting",
  relay: s.relay.address,
  attempt: s.attempt,
  delayMs: toMillis(wait),
  supervisors: 1,
  ...(reason === undefined ? {} : { reason }),
});

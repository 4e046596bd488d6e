/**
 * A relay that is about to stop: it asks its clients to go elsewhere, takes in nobody new, and is done when the last one has left or the time is
 * over. Calls move with their parties, each of whom stays on the old session until the next relay carries the call (departure.ts).
 */
import { Instant, type Micros } from "../base/units.ts";
import type { RelayDraining } from "../wire/signal.ts";
import { addressesOf } from "./relay-route.ts";
import type { RelayTarget } from "./supervisor.ts";

export type State =
  | { readonly at: "serving" }
  | { readonly at: "draining"; readonly until: Instant; readonly refuges: readonly RelayTarget[] }
  | { readonly at: "over" };

/** Relays named to clients. chosen: who has tried four does not need a fifth. */
const MOST_REFUGES = 4;

export const start = (): State => ({ at: "serving" });

export const deadline = (s: State): Instant | undefined => (s.at === "draining" ? s.until : undefined);

/** Done after `within` at the latest; `refuges` are where clients could go. Asked again, it may only become sooner. */
export function begin(s: State, now: Instant, within: Micros, refuges: readonly RelayTarget[]): State {
  if (s.at === "over") return s;
  const until = Instant.after(now, within);
  if (s.at === "draining") return until < s.until ? { ...s, until } : s;
  return { at: "draining", until, refuges: refuges.slice(0, MOST_REFUGES) };
}

/** What clients are told; undefined while nobody has to leave. */
export const message = (s: State, now: Instant): RelayDraining | undefined =>
  s.at !== "draining"
    ? undefined
    : {
        type: "RelayDraining",
        deadline_ms: Math.max(0, Math.floor((s.until - now) / 1_000)),
        ...(s.refuges.length === 0
          ? {}
          : { alternatives: s.refuges.flatMap((one) => addressesOf(one).map((addr) => ({ addr, pin: one.pin }))) }),
      };

/** Whether it is done: `done` when no client is left of those it had, `overdue` when the time is over before. */
export function verdict(s: State, now: Instant, clients: number): "done" | "overdue" | undefined {
  if (s.at !== "draining") return undefined;
  return clients === 0 ? "done" : now >= s.until ? "overdue" : undefined;
}

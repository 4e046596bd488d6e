/**
 * What a user interface shows of a client: every change of its registration and of its call, as one union. Each event is a function of the one
 * record of the log that says the same, so that a screen and a log cannot tell different stories.
 */
import type { Address } from "../base/address.ts";
import type { Saying } from "../base/record.ts";
import { SWITCHED } from "./supervisor.ts";

export type ClientEvent =
  /** Attempt `attempt` is made in `delayMs`, at once when that is 0. `switching`: another relay than the one it has been with, which still carries the call. */
  | {
      readonly type: "connecting" | "reconnecting" | "switching";
      readonly relay: Address;
      readonly attempt: number;
      readonly delayMs: number;
      readonly reason?: string;
    }
  /** Registered; `switched`: with another relay than before, on the user's or the relay's wish. */
  | { readonly type: "registered" | "switched"; readonly relay: Address }
  | { readonly type: "refused"; readonly relay: Address; readonly reason: string }
  /** The user wants no relay. */
  | { readonly type: "idle" }
  /** `resuming`: the call waits for its relay, what is heard goes on while it can; `resumed`: a relay carries it again. */
  | {
      readonly type: "offering" | "ringing" | "answered" | "active" | "resuming" | "resumed";
      readonly call: string;
      readonly peer: string;
    }
  | { readonly type: "ended"; readonly call: string; readonly peer: string; readonly reason: string };

/** The event that a client's record is, if it is one. */
export function eventOf(saying: Saying): ClientEvent | undefined {
  if (saying.ev === "call") {
    const { call, peer, state, reason = "no reason given" } = saying;
    return state === "ended" ? { type: state, call, peer, reason } : { type: state, call, peer };
  }
  if (saying.ev !== "registration") return undefined;
  const { state, relay = "", attempt = 1, delayMs = 0, reason } = saying;
  switch (state) {
    case "idle":
      return { type: state };
    case "registered":
      return { type: reason === SWITCHED ? "switched" : state, relay };
    case "refused":
      return { type: state, relay, reason: reason ?? "no reason given" };
    default:
      return { type: state, relay, attempt, delayMs, ...(reason === undefined ? {} : { reason }) };
  }
}

/** One line for a terminal. */
export function inWords(event: ClientEvent): string {
  switch (event.type) {
    case "connecting":
    case "reconnecting":
    case "switching": {
      const when = event.delayMs === 0 ? "now" : `in ${event.delayMs / 1_000} s`;
      const why = event.reason === undefined ? "" : ` (${event.reason})`;
      return `registration ${event.type} ${event.relay} attempt ${event.attempt} ${when}${why}`;
    }
    case "registered":
    case "switched":
      return `registration ${event.type} ${event.relay}`;
    case "refused":
      return `registration refused ${event.relay} (${event.reason})`;
    case "idle":
      return "registration idle";
    case "ended":
      return `call ${event.call} ended ${event.peer} (${event.reason})`;
    default:
      return `call ${event.call} ${event.type} ${event.peer}`;
  }
}

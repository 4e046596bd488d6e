/** What a composite machine has to say in one step: its effects in order, with refusals counted and messages put in the log. */
import type { Address } from "../base/address.ts";
import type { RefusalReason, Saying } from "../base/record.ts";
import { encodeSignal, parseSignal, type SignalMessage } from "../wire/signal.ts";
import type { Effect } from "./effect.ts";
import type { SessionId } from "./session.ts";

/** Refusals written in full per reason; past that only powers of two are, so that a flood does not fill the log. chosen: enough to see a pattern. */
const WRITTEN_IN_FULL = 16;

const NOTHING: readonly Effect[] = [];

export class Outbox {
  readonly #refused = new Map<RefusalReason, number>();
  #effects: Effect[] = [];

  /** The effects gathered since the last call, in order. */
  take(): readonly Effect[] {
    if (this.#effects.length === 0) return NOTHING;
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  push(effect: Effect): void {
    this.#effects.push(effect);
  }

  say(saying: Saying): void {
    this.push({ type: "say", saying });
  }

  /** Counts one refusal, and says it unless its kind has been said often. */
  refuse(reason: RefusalReason, what: string): void {
    const count = (this.#refused.get(reason) ?? 0) + 1;
    this.#refused.set(reason, count);
    if (count <= WRITTEN_IN_FULL || (count & (count - 1)) === 0) this.say({ ev: "refused", reason, what, count });
  }

  /** Sends a signalling message. */
  send(session: SessionId, message: SignalMessage): void {
    this.#note("sent", session, message);
    this.push({ type: "send", session, bytes: encodeSignal(message) });
  }

  /** Reads a signalling message that came by `session`; undefined when it was refused. */
  read(session: SessionId, bytes: Uint8Array): SignalMessage | undefined {
    const parsed = parseSignal(bytes);
    if (parsed.ok) {
      this.#note("received", session, parsed.message);
      return parsed.message;
    }
    this.refuse(parsed.reason, parsed.type ?? "signalling message");
    return undefined;
  }

  #note(dir: "sent" | "received", session: SessionId, message: SignalMessage): void {
    const about = "call_id" in message && message.call_id !== undefined ? { call: message.call_id } : {};
    const told = addressesIn(message);
    const addresses = told.length === 0 ? {} : { addresses: told };
    const ok = message.type === "RegisterAck" || message.type === "FederationHelloAck" ? { ok: message.ok } : {};
    const present = message.type === "CallResumed" ? { present: message.peer_present } : {};
    this.say({ ev: "signal", dir, type: message.type, session, ...about, ...addresses, ...ok, ...present });
  }
}

/** Addresses by which the parties of a call are to find each other; the relay's answer to its own client about itself is none. */
function addressesIn(message: SignalMessage): readonly Address[] {
  switch (message.type) {
    case "DirectCallOffer":
      return some(message.caller_reflexive_addr, message.caller_mapped_addr, message.caller_local_addrs);
    case "DirectCallAnswer":
      return some(message.callee_reflexive_addr, message.callee_mapped_addr, message.callee_local_addrs);
    case "CallSetup":
      return some(message.peer_direct_addr, message.peer_mapped_addr, message.peer_local_addrs);
    case "CandidateUpdate":
      return some(message.reflexive_addr, message.mapped_addr, message.local_addrs);
    default:
      return [];
  }
}

const some = (
  reflexive: Address | undefined,
  mapped: Address | undefined,
  local: readonly Address[] | undefined,
): readonly Address[] => [
  ...(reflexive === undefined ? [] : [reflexive]),
  ...(mapped === undefined ? [] : [mapped]),
  ...(local ?? []),
];

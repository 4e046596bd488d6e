/** What the sessions with relays have to know of a client's call, and what they tell it (relay-sessions.ts). */
import type { Instant } from "../base/units.ts";
import type { SignalMessage } from "../wire/signal.ts";
import type { Link } from "./relay-link.ts";
import type { SessionId } from "./session.ts";

/** The client's call, as far as sessions have to do with it. */
export type CallSide = {
  now(): Instant;
  /** A number that no session of this client has had. */
  nextSession(): SessionId;
  /** There is a call, or one is wanted. */
  isWanted(): boolean;
  hasMedia(): boolean;
  /** There is a call, or one is wanted, that has no other way than the relay which is beyond doubt. */
  needsRelay(): boolean;
  /** What takes the call up at a relay that may not know it, and the channel it asks for; undefined when there is nothing to take up. */
  resumption(): { readonly message: SignalMessage; readonly channel: number | undefined } | undefined;
  /** Media go another way from now on. */
  rerouted(): void;
  /** The registration is in doubt: the call goes on as well as it can. */
  interrupted(): void;
  /** The doubt was unfounded. */
  restored(): void;
  /** Registered on a fresh session. */
  registered(): void;
  signal(link: Link, bytes: Uint8Array): void;
  media(link: Link, bytes: Uint8Array): void;
  /** Another process has registered with this identity. */
  displaced(reason: string): void;
};

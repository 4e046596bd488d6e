/**
 * A layer between a machine and its endpoint that duplicates, delays and reorders whole signalling messages, where a buggy proxy or a
 * retransmitting application layer would, and puts key shares of its own into them, as a relay would that wants to listen in. Laboratories put it there; without anything laid on it, it hands everything on as it is.
 */

import { toHex } from "../base/cursor.ts";
import type { Stream } from "../base/random.ts";
import { type Micros, millis } from "../base/units.ts";
import { type KeyShare, parseSignal } from "../wire/signal.ts";
import type { Endpoint, EndpointListener } from "./session.ts";

/**
 * What is done to messages: shares 0..1 of them, `delay` in microseconds. `forge`: of those that carry key shares, the shares are another's, under the
 * signatures they came with. `types`: only these; empty: all.
 */
export type SignallingEffect = {
  readonly duplicate: number;
  readonly reorder: number;
  readonly delay: number;
  readonly forge?: number;
  readonly types: readonly string[];
};

/** An effect in force; `up` is what this party sends. `touched` counts the messages it delayed, reordered, duplicated or forged. */
export type Active = {
  readonly direction: "up" | "down" | "both";
  readonly effect: SignallingEffect;
  readonly stream: Stream;
  touched: number;
};

/** How far a reordered message is held back. chosen: longer than the gap between two updates of one NAT rebinding. */
const REORDER_BY: Micros = millis(300);

export class SignallingFilter {
  readonly #after: (length: Micros, action: () => void) => void;
  readonly #active = new Set<Active>();

  constructor(after: (length: Micros, action: () => void) => void) {
    this.#after = after;
  }

  lay(active: Active): () => void {
    this.#active.add(active);
    return () => void this.#active.delete(active);
  }

  /** `endpoint` with its outgoing messages filtered. */
  outgoing(endpoint: Endpoint): Endpoint {
    return {
      connect: (session, remote, pin) => endpoint.connect(session, remote, pin),
      send: (session, message) => this.#pass("up", message, (bytes) => endpoint.send(session, bytes)),
      sendDatagram: (session, bytes) => endpoint.sendDatagram(session, bytes),
      close: (session, detail) => endpoint.close(session, detail),
      sendPacket: (to, bytes) => endpoint.sendPacket(to, bytes),
    };
  }

  /** `listener` with the messages that reach it filtered. */
  incoming(listener: EndpointListener): EndpointListener {
    return {
      accepted: (session, remote) => listener.accepted(session, remote),
      packet: (from, bytes) => listener.packet(from, bytes),
      event: (session, event) => {
        if (event.type === "message") this.#pass("down", event.bytes, (bytes) => listener.event(session, { ...event, bytes }));
        else listener.event(session, event);
      },
    };
  }

  #pass(direction: "up" | "down", message: Uint8Array, deliver: (message: Uint8Array) => void): void {
    if (this.#active.size === 0) return deliver(message);
    let said = message;
    let wait = 0;
    let copies = 1;
    for (const fault of this.#active) {
      if (fault.direction !== "both" && fault.direction !== direction) continue;
      const { types, delay, reorder, duplicate, forge = 0 } = fault.effect;
      const parsed = parseSignal(message);
      if (types.length > 0 && !(parsed.ok && types.includes(parsed.message.type))) continue;
      const isHeld = fault.stream.nextChance(reorder);
      const isDoubled = fault.stream.nextChance(duplicate);
      wait += delay + (isHeld ? REORDER_BY : 0);
      if (isDoubled) copies++;
      const forged = forge > 0 && fault.stream.nextChance(forge) ? forgedShares(said, fault.stream) : undefined;
      said = forged ?? said;
      if (isHeld || isDoubled || delay > 0 || forged !== undefined) fault.touched++;
    }
    for (let copy = 0; copy < copies; copy++) {
      if (wait === 0) deliver(said);
      else this.#after(wait as Micros, () => deliver(said));
    }
  }
}

const encoder = new TextEncoder();
/** Octets of an X25519 public key (RFC 7748 section 5). */
const SHARE_BYTES = 32;

/** The message with another's key shares; undefined when it carries none. Fields this version does not know stay as they are. */
function forgedShares(message: Uint8Array, stream: Stream): Uint8Array | undefined {
  const parsed = parseSignal(message);
  if (!parsed.ok) return undefined;
  const shares = Object.entries(parsed.message).filter((entry): entry is [string, KeyShare] => entry[0].endsWith("_share"));
  if (shares.length === 0) return undefined;
  const forged = shares.map(([name, share]) => {
    const octets = Uint8Array.from({ length: SHARE_BYTES }, () => stream.nextBelow(256));
    return [name, { ...share, share: toHex(octets) }] as const;
  });
  const whole = JSON.parse(new TextDecoder().decode(message)) as object;
  return encoder.encode(JSON.stringify({ ...whole, ...Object.fromEntries(forged) }));
}

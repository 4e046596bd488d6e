/**
 * A layer between a machine and its endpoint that duplicates, delays and reorders whole signalling messages, where a buggy proxy or a
 * retransmitting application layer would. Laboratories put it there; without anything laid on it, it hands everything on as it is.
 */
import type { Stream } from "../base/random.ts";
import { type Micros, millis } from "../base/units.ts";
import { parseSignal } from "../wire/signal.ts";
import type { Endpoint, EndpointListener } from "./session.ts";

/** What is done to messages: shares 0..1 of them, `delay` in microseconds. `types`: only these; empty: all. */
export type SignallingEffect = {
  readonly duplicate: number;
  readonly reorder: number;
  readonly delay: number;
  readonly types: readonly string[];
};

/** An effect in force; `up` is what this party sends. `touched` counts the messages it delayed, reordered or duplicated. */
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
      send: (session, message) => this.#pass("up", message, () => endpoint.send(session, message)),
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
        if (event.type === "message") this.#pass("down", event.bytes, () => listener.event(session, event));
        else listener.event(session, event);
      },
    };
  }

  #pass(direction: "up" | "down", message: Uint8Array, deliver: () => void): void {
    if (this.#active.size === 0) return deliver();
    let wait = 0;
    let copies = 1;
    for (const fault of this.#active) {
      if (fault.direction !== "both" && fault.direction !== direction) continue;
      const { types, delay, reorder, duplicate } = fault.effect;
      const parsed = parseSignal(message);
      if (types.length > 0 && !(parsed.ok && types.includes(parsed.message.type))) continue;
      const isHeld = fault.stream.nextChance(reorder);
      const isDoubled = fault.stream.nextChance(duplicate);
      wait += delay + (isHeld ? REORDER_BY : 0);
      if (isDoubled) copies++;
      if (isHeld || isDoubled || delay > 0) fault.touched++;
    }
    for (let copy = 0; copy < copies; copy++) {
      if (wait === 0) deliver();
      else this.#after(wait as Micros, deliver);
    }
  }
}

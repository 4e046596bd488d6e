/**
 * The last packet sent, said again while a peer is silent and once it is heard again, outside the congestion window. The engine's own probes back off exponentially
 * (RFC 9002 section 6.2) and would find a peer that came back only seconds later; a repeated packet is what any network may deliver, is ignored by a live peer that had it,
 * and makes one without state answer with a reset.
 */
import { Instant, type Micros, millis } from "../base/units.ts";
import type { Host } from "./quic-engine.ts";

/** While a peer is silent its last packet is sent again this often. chosen: 100 ms, ten packets a second. */
const REPEAT_EVERY: Micros = millis(100);
/**
 * The same packet is repeated so often once the peer is heard again, the first time at once: a congestion window that filled up meanwhile stays full until the peer
 * acknowledges something, and the engine's next probe may be seconds away. chosen: one of three gets through.
 */
const AFTER_SILENCE = 3;

export class PacketRepeat {
  /** A copy, and room for it, since a piece of a slab would keep all of that for as long as the peer is idle. */
  #last: { room: Uint8Array; length: number; to: Host } | undefined;
  /** Since a silence began: packets received by then, and when the last one sent is due again. */
  #silent: { readonly received: number; repeatAt: Instant } | undefined;
  /** What is repeated after a silence, when next, and how often still. */
  #rousing: { readonly packet: Uint8Array; readonly to: Host; at: Instant; left: number } | undefined;

  readonly #transmit: (packet: Uint8Array, to: Host) => void;

  constructor(transmit: (packet: Uint8Array, to: Host) => void) {
    this.#transmit = transmit;
  }

  get isSilent(): boolean {
    return this.#silent !== undefined;
  }
  /** When `repeat` is due. */
  get deadline(): Instant | undefined {
    return Instant.earliest(this.#silent?.repeatAt, this.#rousing?.at);
  }

  /** A packet was sent. */
  remember(packet: Uint8Array, to: Host): void {
    this.#last ??= { room: new Uint8Array(0), length: 0, to };
    if (this.#last.room.length < packet.length) this.#last.room = new Uint8Array(packet.length);
    this.#last.room.set(packet);
    this.#last.length = packet.length;
    this.#last.to = to;
  }

  /** The peer is silent; so many of its packets were received before. */
  silent(now: Instant, received: number): void {
    this.#silent = { received, repeatAt: now };
    this.#rousing = undefined;
  }

  /** So many packets were received by now. True: that ends a silence. */
  heard(now: Instant, received: number): boolean {
    if (this.#silent === undefined || received <= this.#silent.received) return false;
    this.#silent = undefined;
    // Kept now: what is sent next may be an acknowledgement, which asks for no answer.
    if (this.#last !== undefined) this.#rousing = { ...this.#copy(this.#last), at: now, left: AFTER_SILENCE };
    return true;
  }

  /** Sends again what is due. */
  repeat(now: Instant): void {
    if (this.#silent !== undefined && now >= this.#silent.repeatAt && this.#last !== undefined) {
      this.#silent.repeatAt = Instant.after(now, REPEAT_EVERY);
      const { packet, to } = this.#copy(this.#last);
      this.#transmit(packet, to);
    }
    if (this.#rousing === undefined || now < this.#rousing.at) return;
    const { packet, to, left } = this.#rousing;
    this.#transmit(packet, to);
    this.#rousing = left > 1 ? { packet, to, at: Instant.after(now, REPEAT_EVERY), left: left - 1 } : undefined;
  }

  #copy({ room, length, to }: { readonly room: Uint8Array; readonly length: number; readonly to: Host }): {
    readonly packet: Uint8Array;
    readonly to: Host;
  } {
    return { packet: room.slice(0, length), to };
  }
}

/** The media of one link between relays: which call has which number in each direction, and packets that wait a moment to travel together. */
import { Instant, type Micros, millis } from "../../base/units.ts";
import { packTrunk, TRUNK_HEADER_BYTES, type Trunked } from "../../wire/trunk.ts";
import type { Peer } from "../call-desk.ts";
import type { Call } from "../call-registry.ts";
import { MAX_DATAGRAM_BYTES } from "../session.ts";

/** How long a packet waits for others to travel with, where the link carries several calls. chosen: a tenth of a frame. */
const WAIT: Micros = millis(2);
/** Numbers the other relay may give. chosen: two for each call of a relay of default size. */
const MOST_GIVEN = 32_768;

type Taken = { readonly peer: Peer; readonly call: Call };

export class TrunkLine {
  /** Numbers the other relay wants media under, by call and in it by sender. */
  readonly #given: Map<string, Map<string, number>> = new Map();
  #givenCount = 0;
  /** What this relay gave numbers to, and which numbers a call has. */
  readonly #taken: Map<number, Taken> = new Map();
  readonly #numbers: Map<Call, Map<Peer, number>> = new Map();
  #last = 0;
  #waiting: Trunked[] = [];
  #bytes = 0;
  #flushAt: Instant | undefined;

  /** Calls with users of the other relay. */
  get calls(): number {
    return this.#taken.size;
  }
  get deadline(): Instant | undefined {
    return this.#flushAt;
  }

  /** The number for what `peer` sends in `call`, the same until the call is forgotten. */
  take(peer: Peer, call: Call): number {
    const numbers = this.#numbers.get(call) ?? new Map<Peer, number>();
    const known = numbers.get(peer);
    if (known !== undefined) return known;
    do this.#last = (this.#last + 1) & 0xffff;
    while (this.#taken.has(this.#last));
    this.#taken.set(this.#last, { peer, call });
    this.#numbers.set(call, numbers.set(peer, this.#last));
    return this.#last;
  }

  /** The call is over: its numbers are free, in both directions. */
  forget(call: Call): void {
    for (const party of call.parties) this.#take(call.id, party);
    for (const number of this.#numbers.get(call)?.values() ?? []) this.#taken.delete(number);
    this.#numbers.delete(call);
  }

  /** What a number stands for, while the call goes on. */
  find(number: number): Taken | undefined {
    const known = this.#taken.get(number);
    return known !== undefined && isCarried(known) ? known : undefined;
  }

  /** The other relay wants the media of `from` in this call under `number`; false: too many. */
  give(call: string, from: string, number: number): boolean {
    if (this.#givenCount >= MOST_GIVEN) return false;
    const numbers = this.#given.get(call) ?? new Map<string, number>();
    if (!numbers.has(from)) this.#givenCount++;
    this.#given.set(call, numbers.set(from, number));
    return true;
  }

  #take(call: string, from: string): void {
    const numbers = this.#given.get(call);
    if (numbers?.delete(from) !== true) return;
    this.#givenCount--;
    if (numbers.size === 0) this.#given.delete(call);
  }

  /** Queues a packet; the datagrams that are due because of it. */
  send(now: Instant, call: Call, from: string, packet: Uint8Array): readonly Uint8Array[] | "unknown-call" | "oversized" {
    const number = this.#given.get(call.id)?.get(from);
    if (number === undefined) return "unknown-call";
    const bytes = packet.length + TRUNK_HEADER_BYTES;
    if (bytes > MAX_DATAGRAM_BYTES) return "oversized";
    const full = this.#bytes + bytes > MAX_DATAGRAM_BYTES ? this.flush() : [];
    this.#waiting.push({ number, packet });
    this.#bytes += bytes;
    if (this.#taken.size < 2) return full.length === 0 ? this.flush() : [...full, ...this.flush()];
    this.#flushAt ??= Instant.after(now, WAIT);
    return full;
  }

  /** What waits, in one datagram; none when nothing does. */
  flush(): readonly Uint8Array[] {
    const datagrams = this.#waiting.length === 0 ? [] : [packTrunk(this.#waiting)];
    this.#waiting = [];
    this.#bytes = 0;
    this.#flushAt = undefined;
    return datagrams;
  }

  /** The link is gone: numbers belong to a session. */
  clear(): void {
    this.#given.clear();
    this.#givenCount = 0;
    this.#taken.clear();
    this.#numbers.clear();
    this.flush();
  }
}

const isCarried = ({ peer, call }: Taken): boolean => peer.channels.get(call.channel) === call;

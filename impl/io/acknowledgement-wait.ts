/**
 * When a session's acknowledgements wait: one of datagrams alone may travel with the next datagram, which in a call is 20 ms away at most. Half of what a relay reads and
 * writes would be acknowledgements otherwise.
 */
import { Instant, type Micros, millis } from "../base/units.ts";

/** It waits so long. chosen: a frame's time, within the 25 ms that every peer allows for (RFC 9000 section 18.2, max_ack_delay). */
const ACKNOWLEDGE_WITHIN: Micros = millis(20);
/** It waits for one packet only: with so many it goes (RFC 9000 section 13.2.2: at least every second one). */
const UNACKNOWLEDGED = 2;
/** ... and only where nothing but datagrams has gone either way for so long: set-ups, changes of address and losses are answered at once. chosen: some round trips of any network. */
const AT_REST: Micros = millis(1_000);
/** A client's waits only while it talks: its last datagram is so young that the next one is due within the wait. chosen: a frame's time and what a timer is late. */
const TALKS_WITHIN: Micros = millis(25);
/**
 * More octets than that around the datagrams of a packet are more than headers, tag and an acknowledgement: perhaps a question about the path (RFC 9000 section 8.2.1 pads
 * PATH_CHALLENGE), of which the engine tells nothing. It is answered at once.
 */
const LARGEST_AROUND = 100;

export class AcknowledgementWait {
  /** When the one that waits is due. */
  due: Instant | undefined;
  readonly #role: "client" | "server";
  /** Datagrams received since something was last sent. */
  #unacknowledged = 0;
  /** The engine may have something to send other than an acknowledgement that can wait. */
  #isPressing = true;
  #isProbing = false;
  /** Octets of the datagrams that the engine may have in its queue still: the congestion window was full, and what comes may open it. */
  #queuedBytes = 0;
  /** When a datagram was last given to it. */
  #spokeAt: Instant | undefined;
  /** When something other than a datagram last went either way. */
  #stirredAt: Instant;

  constructor(role: "client" | "server", now: Instant) {
    this.#role = role;
    this.#stirredAt = now;
  }

  /** Nothing but datagrams has gone either way for a while. */
  isAtRest(now: Instant): boolean {
    return Instant.between(this.#stirredAt, now) >= AT_REST;
  }

  /** Something other than a datagram: what the engine says to it goes out at once, and so do acknowledgements for a while. */
  stir(now: Instant): void {
    this.#stirredAt = now;
    this.#isPressing = true;
  }

  /**
   * The engine's timer went off: it probes, or sends again what was lost. A session at rest stays so: its timer goes off when a processor was late, too, and if all sessions of
   * a relay then acknowledged at once for a while, they would make most work just when there is most to catch up with.
   */
  probes(now: Instant): void {
    if (!this.isAtRest(now)) this.stir(now);
    this.#isPressing = true;
    this.#isProbing = true;
  }

  /** The engine says what it has to say in one short packet. */
  isBrief(now: Instant): boolean {
    return this.isAtRest(now) && !this.#isProbing;
  }

  /** The engine was given a datagram of so many octets. */
  spoke(now: Instant, octets: number): void {
    this.#queuedBytes += octets;
    this.#spokeAt = now;
    this.#isPressing = true;
  }

  /** So many packets had so many datagrams in them, and so many octets around those. */
  read(now: Instant, packets: number, datagrams: number, around: number): void {
    if (around > LARGEST_AROUND * packets) this.stir(now);
    this.#unacknowledged += datagrams;
  }

  /** Whether there is at most an acknowledgement of datagrams to send, and it is not due. A silent client's goes at once: it is the one that moves, and tells so with it. */
  holds(now: Instant): boolean {
    if (this.#isPressing || this.#queuedBytes > 0 || this.#unacknowledged >= UNACKNOWLEDGED || !this.isAtRest(now)) return false;
    if (this.#role === "client" && (this.#spokeAt === undefined || Instant.between(this.#spokeAt, now) > TALKS_WITHIN))
      return false;
    this.due ??= Instant.after(now, ACKNOWLEDGE_WITHIN);
    return now < this.due;
  }

  /** All that waited is about to go. */
  goes(): void {
    this.#unacknowledged = 0;
    this.#isPressing = false;
    this.#isProbing = false;
    this.due = undefined;
  }

  /** It went in packets of so many octets; `isEmpty` asks the engine whether any datagram is left. */
  went(octets: number, isEmpty: () => boolean): void {
    if (this.#queuedBytes > 0 && (octets >= this.#queuedBytes || isEmpty())) this.#queuedBytes = 0;
  }
}

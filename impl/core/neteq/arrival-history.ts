/**
 * How late each packet came against the earliest of the last two seconds. The earliest moves with the path and with both clocks,
 * so a slow drift between them never adds up. Also the interarrival jitter of RFC 3550 section 6.4.1.
 * libwebrtc m125, modules/audio_coding/neteq/packet_arrival_history.cc.
 */

/** How long a packet is remembered (packet_history_size_ms). */
const MEMORY = 2_000_000;
/** Candidates for the earliest at most: more than the packets of two seconds. A power of two. */
const SLOTS = 256;
const MASK = SLOTS - 1;
/** Gain of RFC 3550's jitter. */
const JITTER_GAIN = 1 / 16;

/**
 * Times are microseconds; a transit is arrival time less media time, so only differences of transits mean anything. The candidates are
 * a queue of rising transits: whoever is slower than a newer packet can never be the earliest again.
 */
export class ArrivalHistory {
  readonly #arrivals: Float64Array = new Float64Array(SLOTS);
  readonly #transits: Float64Array = new Float64Array(SLOTS);
  #from = 0;
  #to = 0;
  #jitter = 0;
  #last = 0;

  /** Whether anything was observed. */
  get known(): boolean {
    return this.#to > this.#from;
  }
  /** The transit of the earliest packet remembered; 0 before the first. */
  get base(): number {
    return this.known ? (this.#transits[this.#from & MASK] as number) : 0;
  }
  /** RFC 3550 interarrival jitter. */
  get jitter(): number {
    return this.#jitter;
  }

  /** Takes one packet's transit, in order of arrival; answers how much later than the earliest it came (>= 0). */
  observe(now: number, transit: number): number {
    if (this.known) this.#jitter += (Math.abs(transit - this.#last) - this.#jitter) * JITTER_GAIN;
    this.#last = transit;
    while (this.#to > this.#from && (this.#transits[(this.#to - 1) & MASK] as number) >= transit) this.#to--;
    if (this.#to - this.#from === SLOTS) this.#from++;
    this.#arrivals[this.#to & MASK] = now;
    this.#transits[this.#to & MASK] = transit;
    this.#to++;
    while ((this.#arrivals[this.#from & MASK] as number) < now - MEMORY) this.#from++;
    return transit - this.base;
  }

  /** Another path, or a sender's clock that jumped: `transit` is the earliest from now on. */
  rebase(now: number, transit: number): void {
    this.#from = this.#to;
    this.#last = transit;
    this.#arrivals[this.#to & MASK] = now;
    this.#transits[this.#to & MASK] = transit;
    this.#to++;
  }
}

/**
 * The plain adaptive jitter buffer: packets go in when they come, one frame comes out every 20 ms. Its delay follows moving
 * averages (playout-delay.ts); it grows by playing a concealed frame in between and shrinks by leaving frames out.
 * Left out: time stretching, packets of other durations than 20 ms (decoders refuse them).
 *
 * The playout position is a media time. It advances one frame a tick also while nothing comes, so after an outage the frames of
 * a sender that kept counting fall due at their own time. `lead` below is how much later than its target the position runs.
 */
import type { Instant, Micros } from "../base/units.ts";
import type { ComfortNoise } from "../wire/comfort-noise.ts";
import type { Decoder } from "./codec.ts";
import { FRAME_MICROS, FRAME_SAMPLES } from "./codec.ts";
import { CONCEALED_FRAMES } from "./concealment.ts";
import type { HeldFrame } from "./frame-window.ts";
import { FrameWindow } from "./frame-window.ts";
import type { DelayBounds, JitterBuffer, JitterFrame, JitterOptions, Played } from "./jitter-buffer.ts";
import type { JitterStatistics } from "./jitter-statistics.ts";
import { JitterCounters } from "./jitter-statistics.ts";
import { PlayoutDelay } from "./playout-delay.ts";
import { AnnouncedSilence } from "./silence/announced-silence.ts";

/**
 * chosen: two frames, so that one reordering never hurts and the packet carrying redundancy is there; 400 ms, beyond which a
 * conversation breaks down (ITU-T G.114 section 4: not above 400 ms).
 */
export const EMA_BOUNDS: DelayBounds = { minTarget: 40_000 as Micros, maxTarget: 400_000 as Micros };

/** Media time in microseconds; exact for whole frames. */
const mediaMicros = (samples: number): number => (samples * FRAME_MICROS) / FRAME_SAMPLES;
/** A frame is due when its time is at most this far from the position. Senders count whole frames; half a slot tolerates those that do not. */
const HALF = FRAME_SAMPLES / 2;
/** A transit this far from the mean, in a packet newer than any before, is a sender's clock that jumped. chosen: longer than any queue or outage held back. */
const DISCONTINUITY = 5_000_000;
/** The lead at which frames are left out one by one. One more than the step, so that it never turns back on itself. */
const SHRINK_AT = 2 * FRAME_MICROS;
/** The lead must have been that large for so long. chosen: NetEq's resampling interval, half a second. */
const SHRINK_AFTER = 500_000;
/** From then on frames are left out where they are loud too. chosen: pauses between words come about once a second. */
const SHRINK_ANYWAY = 2_000_000;
/** Least time between two adjustments while audio plays (NetEq: kMinTimescaleInterval, about one in 100 ms). */
const SPACING = 100_000;
/** Mean magnitude below which a frame counts as quiet: -44 dBFS. chosen: 20 dB below speech at its usual -23 dBFS. */
const QUIET = 200;
/** Cross-fade where a frame was left out, 5 ms. chosen: a period of a high voice. */
const SPLICE = 240;

const SILENT_FRAME: Int16Array = new Int16Array(FRAME_SAMPLES);

export class EmaBuffer implements JitterBuffer {
  readonly #decoder: Decoder;
  readonly #bounds: DelayBounds;
  readonly #delay: PlayoutDelay;
  readonly #window: FrameWindow = new FrameWindow();
  readonly #counters: JitterCounters = new JitterCounters();
  #started = false;
  /** Nothing plays before this instant: the first delay after a start or a clock jump. */
  #holdUntil = 0;
  /** Media time of the next tick. */
  #position = 0;
  /** Number of the last frame played or left out; nothing up to it plays any more. */
  #last = -1;
  /** Media time of the newest packet. */
  #newestTime = -1;
  #lastPacket = -1;
  #lastPcm: Int16Array = SILENT_FRAME;
  readonly #silence: AnnouncedSilence = new AnnouncedSilence();
  /** The last tick played noise for a peer that says nothing. */
  #isResting = false;
  /** Since when the lead has been above SHRINK_AT; -1: it is not. */
  #ahead = -1;
  #adjusted = -SPACING;

  /** Use `jitterBuffer`, which checks the bounds. */
  constructor(options: Required<JitterOptions>) {
    this.#decoder = options.decoder;
    this.#bounds = options.bounds;
    this.#delay = new PlayoutDelay(options.bounds);
  }

  get target(): Micros {
    return Math.round(this.#delay.target) as Micros;
  }

  stats(): JitterStatistics {
    return this.#counters.snapshot(this.#delay.jitter);
  }

  holdFor(length: Micros): void {
    this.#delay.holdFor(length);
  }

  insert(now: Instant, frame: JitterFrame): void {
    const { seq, timestamp, by, shape } = frame;
    const isFirst = (shape?.part ?? 0) === 0;
    const newer = seq > this.#window.newest;
    const verdict = this.#window.judge(seq);
    if (by === undefined && (verdict !== "duplicate" || this.#window.isGivenBack(seq)) && isFirst)
      this.#counters.received(frame.packet ?? seq);
    if (verdict === "duplicate") {
      const isReplaced = by === undefined && this.#window.replace({ seq, payload: frame.payload, shape }, now);
      if ((by !== undefined || isReplaced) && isFirst) this.#counters.unneeded();
      return;
    }
    const transit = now - mediaMicros(timestamp);
    // Numbers that rise while time goes back are a sender that began anew, however little it goes back.
    const back = newer && by === undefined && timestamp < this.#newestTime;
    if (newer && by === undefined) this.#newestTime = timestamp;
    const jumped = back || (this.#delay.known && Math.abs(transit - this.#delay.mean) > DISCONTINUITY);
    if (by !== undefined) this.#window.giveBack(seq);
    else if (jumped && newer) this.#restart(now, frame, transit);
    else if (!jumped && verdict === "new" && isFirst) this.#observe(transit);
    if (!this.#started && this.#window.count === 0) this.#holdUntil = now + this.#delay.target;
    const stale = verdict === "old" || (jumped && !newer) || seq <= this.#last;
    const behind = this.#started && timestamp < this.#position - HALF;
    if (stale || (behind && (by !== undefined || !this.#moveBack(seq, timestamp)))) {
      if (isFirst) this.#counters.tooLate();
      if (isFirst && by !== undefined) this.#counters.unneeded();
      return;
    }
    while (!this.#window.fits(seq)) this.#leaveOut();
    const packet = isFirst ? (frame.packet ?? seq) : -1;
    this.#window.hold({ seq, packet, shape, timestamp, payload: frame.payload, arrival: now, by });
  }

  rest(_now: Instant, timestamp: number, noise: ComfortNoise): void {
    if (this.#started && timestamp >= this.#position - HALF) this.#silence.tell(timestamp, noise);
  }

  playout(now: Instant): Played | undefined {
    if (now < this.#holdUntil || !this.#started) {
      if (this.#started) return this.#hold();
      const first = this.#window.head;
      if (first === undefined || now < this.#holdUntil) return undefined;
      this.#started = true;
      this.#position = first.timestamp;
    }
    if (this.#window.count === 0) return this.#conceal();
    // Nothing is lost where silence gets longer or shorter, as where something is made up.
    const run = this.#isResting ? FRAME_SAMPLES : this.#counters.run;
    let lead = this.#lead(now);
    if (lead > this.#bounds.maxTarget || (run > 0 && lead > FRAME_MICROS)) {
      this.#skip(lead, run === 0 ? this.#bounds.maxTarget : SHRINK_AT);
      lead = this.#lead(now);
    }
    const head = this.#window.head as HeldFrame;
    if (head.timestamp > this.#position + HALF) return this.#missing(now, head);
    return this.#due(now, lead, run);
  }

  /** The first packet after an outage that found a faster path says nothing about jitter, and must not wait as long as the old path took. */
  #observe(transit: number): void {
    const back = this.#counters.run >= CONCEALED_FRAMES * FRAME_SAMPLES && this.#window.count === 0;
    if (back && transit < this.#delay.mean) this.#delay.rebase(transit);
    else this.#delay.observe(transit);
  }

  /** How much later than aimed at the position runs, in microseconds; negative: too early. */
  #lead(now: number): number {
    return now - mediaMicros(this.#position) - this.#delay.mean - this.#delay.target;
  }

  /** The sender's clock jumped: what is held belongs to the old one. */
  #restart(now: number, { seq, timestamp }: JitterFrame, transit: number): void {
    this.#counters.discarded(this.#window.count);
    while (this.#window.count > 0) this.#window.take();
    this.#last = Math.max(this.#last, seq - 1);
    this.#delay.rebase(transit);
    this.#silence.clear();
    this.#position = timestamp;
    this.#holdUntil = now + this.#delay.target;
  }

  /**
   * A frame behind the position: when there is nothing else to play (the path got slower), the position goes back to it.
   * Packets of one burst may come out of order, so one right before the head counts too.
   */
  #moveBack(seq: number, timestamp: number): boolean {
    const head = this.#window.head;
    const next = head === undefined || (head.seq === seq + 1 && head.timestamp <= this.#position + HALF);
    if ((this.#counters.run === 0 && !this.#isResting) || !next) return false;
    this.#counters.inserted(this.#position - timestamp);
    this.#position = timestamp;
    return true;
  }

  /** Catches up at once: over slots nobody filled down to a lead of one frame, and by leaving out frames while it is above `limit`. */
  #skip(lead: number, limit: number): void {
    let surplus = Math.floor(lead / FRAME_MICROS);
    const leaveOut = lead > limit;
    while (surplus > 0) {
      const gap = (this.#window.head as HeldFrame).timestamp - this.#position;
      if (gap >= FRAME_SAMPLES) {
        const frames = Math.min(surplus, Math.floor(gap / FRAME_SAMPLES));
        this.#position += frames * FRAME_SAMPLES;
        const unheard = this.#isResting ? 0 : Math.min(frames, CONCEALED_FRAMES);
        for (let i = 0; i < unheard; i++) this.#decoder.conceal(); // as in #leaveOut
        this.#counters.removed(frames * FRAME_SAMPLES);
        surplus -= frames;
      } else if (leaveOut && this.#window.count > 1) {
        this.#leaveOut();
        surplus--;
      } else return;
    }
  }

  /**
   * Drops the head and moves the position past it. The decoder gets to hear it all the same: without it the frames after the gap come out up to
   * six times too loud (measured with Opus 24 kbit/s, speech, 20 frames left out), which is a bang.
   */
  #leaveOut(): void {
    const { seq, packet, timestamp, payload, shape } = this.#window.take();
    this.#decoder.decode(payload, shape);
    this.#took(seq, packet);
    if (this.#started) this.#counters.removed(timestamp + FRAME_SAMPLES - this.#position);
    this.#position = timestamp + FRAME_SAMPLES;
  }

  /** The frame of this slot is not there, but later ones are. */
  #missing(now: number, head: HeldFrame): Played {
    const slots = Math.round((head.timestamp - this.#position) / FRAME_SAMPLES);
    const missing = head.seq - 1;
    const pcm = slots === 1 && missing > this.#last ? this.#decoder.recover(head.payload, head.shape) : undefined;
    if (pcm === undefined) return this.#conceal();
    this.#position += FRAME_SAMPLES;
    this.#took(missing, head.packet - 1);
    this.#lastPcm = pcm;
    this.#counters.emitted(FRAME_SAMPLES, now - head.arrival, this.#delay.target, 1);
    this.#counters.played(FRAME_SAMPLES);
    return { kind: "recovered", seq: head.packet - 1, pcm };
  }

  /** The head is to be played now, unless the delay has to grow first or may shrink here. */
  #due(now: number, lead: number, run: number): Played {
    if (lead < -FRAME_MICROS) {
      const waited = now - (this.#window.head as HeldFrame).arrival;
      const fit = run > 0 ? waited < this.#delay.target : now - this.#adjusted >= SPACING && isQuiet(this.#lastPcm);
      if (fit) {
        this.#adjusted = now;
        return this.#hold();
      }
    }
    if (lead <= SHRINK_AT) this.#ahead = -1;
    else if (this.#ahead < 0) this.#ahead = now;
    const frame = this.#take();
    const pcm = this.#decoder.decode(frame.payload, frame.shape);
    if (pcm === undefined) {
      this.#counters.discarded();
      this.#position -= FRAME_SAMPLES;
      return this.#conceal();
    }
    return this.#mayShrink(now, frame, pcm) ? this.#splice(now, pcm) : this.#play(now, frame, pcm);
  }

  #take(): HeldFrame {
    const frame = this.#window.take();
    this.#took(frame.seq, frame.packet);
    this.#position = frame.timestamp + FRAME_SAMPLES;
    this.#silence.passed(this.#position);
    return frame;
  }

  #took(seq: number, packet: number): void {
    this.#last = seq;
    if (packet > this.#lastPacket) this.#lastPacket = packet;
    this.#isResting = false;
  }

  #mayShrink(now: number, frame: HeldFrame, pcm: Int16Array): boolean {
    if (this.#ahead < 0 || now - this.#ahead < SHRINK_AFTER || now - this.#adjusted < SPACING) return false;
    const next = this.#window.head;
    if (next === undefined || next.timestamp - frame.timestamp > FRAME_SAMPLES + HALF) return false;
    return now - this.#ahead >= SHRINK_ANYWAY || isQuiet(pcm);
  }

  /** Plays the head in place of `dropped`, which comes right before it. */
  #splice(now: number, dropped: Int16Array): Played {
    const frame = this.#take();
    this.#adjusted = now;
    this.#counters.removed(FRAME_SAMPLES);
    const pcm = this.#decoder.decode(frame.payload, frame.shape);
    if (pcm === undefined) {
      this.#counters.discarded();
      this.#position -= FRAME_SAMPLES;
      return this.#conceal();
    }
    for (let i = 0; i < SPLICE; i++) {
      const share = (i + 1) / (SPLICE + 1);
      pcm[i] = Math.round((dropped[i] as number) * (1 - share) + (pcm[i] as number) * share);
    }
    return this.#play(now, frame, pcm);
  }

  #play(now: number, frame: HeldFrame, pcm: Int16Array): Played {
    this.#counters.played(FRAME_SAMPLES);
    this.#lastPcm = pcm;
    const named = frame.packet < 0 ? {} : { seq: frame.packet };
    const recovered = frame.by === undefined ? undefined : frame.packet < 0 ? 0 : 1;
    this.#counters.emitted(FRAME_SAMPLES, now - frame.arrival, this.#delay.target, recovered);
    return frame.by === undefined ? { kind: "source", ...named, pcm } : { kind: "recovered", ...named, by: frame.by, pcm };
  }

  /** Fills a slot that stays empty. */
  #conceal(): Played {
    const noise = this.#rustle();
    this.#position += FRAME_SAMPLES;
    return noise ?? this.#fill();
  }

  /** Lets a tick pass without advancing: the delay grows by a frame. */
  #hold(): Played {
    this.#counters.inserted(FRAME_SAMPLES);
    return this.#rustle() ?? this.#fill();
  }

  /** Noise, when the peer says nothing at the position; what was sent and lost right before the head counts as concealed. */
  #rustle(): Played | undefined {
    const head = this.#window.head;
    this.#isResting = this.#silence.ahead(this.#position, head) === 0;
    if (!this.#isResting) return undefined;
    const left = head === undefined ? Number.POSITIVE_INFINITY : head.timestamp - this.#position;
    const isLost = left > 0 && left <= this.#silence.lostBefore(head, this.#lastPacket);
    const pcm = this.#silence.noise(FRAME_SAMPLES).slice();
    this.#lastPcm = pcm;
    this.#counters.played(FRAME_SAMPLES);
    if (isLost) this.#counters.concealed(FRAME_SAMPLES, false);
    else this.#counters.comfort(FRAME_SAMPLES);
    return { kind: isLost ? "concealed" : "comfort", pcm };
  }

  #fill(): Played {
    const silent = this.#counters.run >= CONCEALED_FRAMES * FRAME_SAMPLES;
    this.#counters.played(FRAME_SAMPLES);
    this.#counters.concealed(FRAME_SAMPLES, silent);
    if (silent) return { kind: "silence", pcm: SILENT_FRAME };
    const pcm = this.#decoder.conceal();
    this.#lastPcm = pcm;
    return { kind: "concealed", pcm };
  }
}

/** Reads every eighth sample: enough to tell speech from a pause. */
function isQuiet(pcm: Int16Array): boolean {
  let sum = 0;
  for (let i = 0; i < pcm.length; i += 8) sum += Math.abs(pcm[i] as number);
  return sum * 8 < QUIET * pcm.length;
}

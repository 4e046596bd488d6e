/**
 * The jitter buffer after libwebrtc's NetEq: it aims at a delay from a histogram of lateness, and gets there by playing speech a pitch
 * period shorter or longer. What is missing is made up by the decoder, for exactly as long as it is missing.
 * libwebrtc m125, modules/audio_coding/neteq. Left out: NACK.
 *
 * `#position` is the media time of the next sample to be appended to what waits. Audio made up does not move it: whether that stood in
 * for a lost frame or held back a late one is settled when the next real frame is played (stand-in.ts).
 */
import type { FecName } from "../../base/fec-scheme.ts";
import type { Instant, Micros } from "../../base/units.ts";
import type { ComfortNoise } from "../../wire/comfort-noise.ts";
import { type Decoder, FRAME_MICROS, FRAME_SAMPLES } from "../codec.ts";
import { FrameWindow, type HeldFrame } from "../frame-window.ts";
import type { DelayBounds, JitterBuffer, JitterFrame, JitterOptions, Played } from "../jitter-buffer.ts";
import { JitterCounters, type JitterStatistics } from "../jitter-statistics.ts";
import { AnnouncedSilence } from "../silence/announced-silence.ts";
import { ArrivalHistory } from "./arrival-history.ts";
import { decide, FAST_ABOVE, SLACK } from "./decision.ts";
import { BUCKET } from "./delay-histogram.ts";
import { DelayTarget, LOSS_PRICE } from "./delay-target.ts";
import { LevelFilter } from "./level-filter.ts";
import { LossyLink } from "./lossy-link.ts";
import { PlayedParts } from "./played-parts.ts";
import { SILENT_FRAME, StandIn } from "./stand-in.ts";
import { Waveform } from "./waveform.ts";

/**
 * chosen: the finest step of the histogram of lateness, since packets are looked for once a tick, which is half a tick more in the mean; 400 ms, beyond which a conversation breaks down (ITU-T G.114 section 4:
 * not above 400 ms).
 */
export const NETEQ_BOUNDS: DelayBounds = { minTarget: BUCKET as Micros, maxTarget: 400_000 as Micros };

/** Media time in microseconds; exact for whole frames. */
const mediaMicros = (samples: number): number => (samples * FRAME_MICROS) / FRAME_SAMPLES;
/** The other way round, rounded down. */
const mediaSamples = (micros: number): number => Math.floor((micros * FRAME_SAMPLES) / FRAME_MICROS);
/** A frame follows when its time is at most this far from the position. Senders count whole frames; half a slot tolerates those that do not. */
const HALF = FRAME_SAMPLES / 2;
/** A transit this far from the earliest, in a packet newer than any before, is a sender's clock that jumped. chosen: longer than any queue or outage held back. */
const DISCONTINUITY = 5_000_000;
/** Above the target at which frames are left out: with nothing playing anyway, and while audio plays. chosen: catching up faster than speech can be understood takes longer than half a second from there. */
const SKIP_IN_PAUSE = 200_000;
const SKIP_ANYWAY = 500_000;
/** Made-up audio after which an early frame may as well wait a little: it fades from then on (codec.contract). */
const FADED: number = 3 * FRAME_SAMPLES;
/** Least resemblance of neighbouring periods (NetEq: 14746 and 8192 in Q14). */
const ALIKE = 0.9;
const ALIKE_FAST = 0.5;
/** Before a missing frame. chosen: under jitter a quarter less is concealed than with ALIKE, and ALIKE_FAST conceals no less. */
const ALIKE_BEFORE_GAP = 0.7;
/** RFC 3550 jitter, microseconds, from which on a packet that is not there is taken for late. chosen: a quarter of a frame; where packets are lost and never late nothing is lengthened in vain. */
const JITTERY: number = FRAME_MICROS / 4;
/** What a stretch changes where there is no audio to look at: 10 ms. chosen: a period of a low voice. */
const SIZED_PERIOD = 480;

/** Of frames missing in a row no more count for the delay aimed at: the link was away then, not lossy. chosen: a second. */
const OUTAGE: number = 50 * FRAME_SAMPLES;

export class NeteqBuffer implements JitterBuffer {
  readonly #decoder: Decoder;
  readonly #history: ArrivalHistory = new ArrivalHistory();
  readonly #delay: DelayTarget;
  /** What a lost frame is worth against the usual. */
  readonly #worth: number;
  readonly #filter: LevelFilter = new LevelFilter();
  readonly #window: FrameWindow = new FrameWindow();
  readonly #counters: JitterCounters = new JitterCounters();
  readonly #parts: PlayedParts = new PlayedParts();
  readonly #silence: AnnouncedSilence = new AnnouncedSilence();
  readonly #link: LossyLink = new LossyLink();
  readonly #standIn: StandIn;
  /** Undefined when there is no audio to speak of. */
  readonly #wave: Waveform | undefined;
  #started = false;
  /** Nothing plays before this instant: the first delay after a start or a clock jump. */
  #holdUntil = 0;
  #position = 0;
  /** Number of the last frame taken, recovered or left out; nothing up to it plays any more. */
  #last = -1;
  /** Media time of the newest packet. */
  #newestTime = -1;
  /** Number of the last packet a frame was taken of. */
  #lastPacket = -1;
  #stretched = Number.NEGATIVE_INFINITY;
  /** Samples by which the last real frame was lengthened because the next one is missing: so much less of that is made up. */
  #bought = 0;
  /** Use `jitterBuffer`, which checks the bounds. */
  constructor(options: Required<JitterOptions>) {
    this.#decoder = options.decoder;
    this.#worth = options.lossPrice / LOSS_PRICE;
    this.#delay = new DelayTarget(options.bounds, options.lossPrice);
    this.#wave = options.mode === "real" ? new Waveform() : undefined;
    const shared = { parts: this.#parts, counters: this.#counters, silence: this.#silence };
    this.#standIn = new StandIn({ ...shared, decoder: options.decoder, wave: this.#wave });
  }

  get target(): Micros {
    return Math.round(this.#delay.target) as Micros;
  }

  stats(): JitterStatistics {
    return this.#counters.snapshot(this.#history.jitter);
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
    const jumped = back || (this.#history.known && Math.abs(transit - this.#history.base) > DISCONTINUITY);
    if (by !== undefined) {
      this.#window.giveBack(seq);
      // When it became available is what counts, as for a packet that was overtaken.
      if (isFirst && !jumped && this.#history.known) this.#delay.givenBack(now, Math.max(0, transit - this.#history.base));
    } else if (jumped && newer) this.#restart(now, frame, transit);
    else if (!jumped && verdict === "new" && isFirst) this.#observe(now, frame, transit, newer);
    if (!this.#started && this.#window.count === 0) this.#holdUntil = now + this.#delay.target;
    const stale = verdict === "old" || (jumped && !newer) || seq <= this.#last;
    if (stale || (this.#started && timestamp < this.#position - HALF)) {
      this.#link.late(now);
      if (!jumped) this.#delay.cameAfterAll();
      if (isFirst) this.#counters.tooLate();
      if (isFirst && by !== undefined) this.#counters.unneeded();
      return;
    }
    while (!this.#window.fits(seq)) this.#leaveOut();
    const packet = isFirst ? (frame.packet ?? seq) : -1;
    this.#window.hold({ seq, packet, shape, timestamp, payload: frame.payload, arrival: now, by });
  }

  rest(now: Instant, timestamp: number, noise: ComfortNoise): void {
    if (!this.#started || timestamp < this.#position - HALF) return;
    const transit = now - mediaMicros(timestamp);
    if (Math.abs(transit - this.#history.base) > DISCONTINUITY) return;
    this.#history.observe(now, transit);
    this.#silence.tell(timestamp, noise);
  }

  playout(now: Instant): Played | undefined {
    if (!this.#started) {
      const first = this.#window.head;
      if (first === undefined || now < this.#holdUntil) return undefined;
      this.#started = true;
      this.#position = first.timestamp;
      this.#filter.reset(this.#span);
    }
    this.#filter.tick(this.#span, this.#delay.target);
    while (this.#parts.waiting < FRAME_SAMPLES) this.#advance(now);
    this.#counters.played(FRAME_SAMPLES);
    return this.#parts.play(this.#wave === undefined ? SILENT_FRAME : this.#wave.read());
  }

  /** Media time that is still to be played, up to the newest packet: what is missing in between too. Microseconds. */
  get #span(): number {
    const head = this.#window.head;
    const held = head === undefined ? 0 : Math.max(0, this.#newestTime - head.timestamp) + FRAME_SAMPLES;
    return mediaMicros(held + this.#parts.waiting);
  }

  /** What a packet says about the delay to aim at. One that repeats a missing frame is that frame, a little later. */
  #observe(now: number, frame: JitterFrame, transit: number, newer: boolean): void {
    const { seq } = frame;
    const late = this.#history.observe(now, transit);
    if (newer) {
      const slower = this.#delay.inOrder(now, late);
      if (slower > 0) this.#history.rebase(now, this.#history.base + slower);
      if (!this.#window.knows(seq - 1) && this.#repeats(frame)) this.#delay.outOfOrder(now, late + FRAME_MICROS);
      return;
    }
    const next = this.#window.at(seq + 1);
    if (next === undefined || !this.#repeats(next)) this.#delay.outOfOrder(now, late);
  }

  #repeats({ payload, shape }: Pick<JitterFrame | HeldFrame, "payload" | "shape">): boolean {
    return this.#decoder.repeats?.(payload, shape) ?? false;
  }

  /** The sender's clock jumped: what is held belongs to the old one. */
  #restart(now: number, { seq, timestamp }: JitterFrame, transit: number): void {
    this.#counters.discarded(this.#window.count);
    while (this.#window.count > 0) this.#window.take();
    this.#last = Math.max(this.#last, seq - 1);
    this.#silence.clear();
    this.#history.rebase(now, transit);
    this.#position = timestamp;
    this.#holdUntil = now + this.#delay.target;
  }

  /** Appends at least one sample to what waits. */
  #advance(now: number): void {
    const need = FRAME_SAMPLES - this.#parts.waiting;
    if (this.#window.count === 0 || now < this.#holdUntil) return this.#makeUp(need);
    this.#skip(now);
    const head = this.#window.head as HeldFrame;
    const gap = head.timestamp - this.#position;
    if (gap <= HALF) return this.#due(now, need);
    // How long the head may still wait, at most for the time before it that nobody filled.
    const spare = this.#spare(now, head);
    // Where packets are lost and not late, nothing is waited for beyond the target: what was stretched in reserve fills that time instead of what is made up.
    const isLossy = this.#link.isLossy(now);
    const wait = Math.min(gap - this.#standIn.samples - this.#bought, mediaSamples((isLossy ? 0 : SLACK) - spare));
    if (this.#recover(now, head, gap, isLossy ? mediaSamples(spare + FRAME_MICROS) : 0)) return;
    if (wait <= 0) return this.#due(now, need);
    // A frame that the head repeats is taken from there, as soon as it is its turn.
    const before = gap - FRAME_SAMPLES - this.#standIn.samples;
    this.#makeUp(Math.min(need, before > 0 && this.#repeats(head) ? Math.min(wait, before) : wait));
  }

  /** How much later than the earliest packet `head` would play now. */
  #lateness(now: number, head: HeldFrame): number {
    return now - mediaMicros(head.timestamp) - this.#history.base;
  }

  /** Delay above the target if `head` played now; by what waits too, because after a change of path the earliest packet is of the old one. */
  #spare(now: number, head: HeldFrame): number {
    return Math.min(this.#lateness(now, head), this.#span) - this.#delay.target;
  }

  /** Leaves the oldest frames out when there is much too much. */
  #skip(now: number): void {
    const limit = this.#standIn.samples > 0 ? SKIP_IN_PAUSE : SKIP_ANYWAY;
    if (this.#spare(now, this.#window.head as HeldFrame) <= limit) return;
    while (this.#window.count > 1 && this.#spare(now, this.#window.head as HeldFrame) > FAST_ABOVE) this.#leaveOut();
  }

  /**
   * Drops the head. The decoder gets to hear it all the same: without it the frames after the gap come out up to six times too loud
   * (measured with Opus 24 kbit/s, speech, 20 frames left out), which is a bang. What it makes of the first continues what waits.
   */
  #leaveOut(): void {
    if (this.#started) this.#standIn.tellOfGap(this.#missingBefore(this.#window.head as HeldFrame));
    const { seq, packet, timestamp, payload, shape } = this.#window.take();
    const pcm = this.#decoder.decode(payload, shape);
    this.#took(seq, packet);
    if (!this.#started) return;
    this.#standIn.leftOut(pcm);
    this.#settle(timestamp);
    this.#counters.removed(FRAME_SAMPLES);
    this.#advanceTo(timestamp + FRAME_SAMPLES);
  }

  #took(seq: number, packet: number): void {
    this.#last = seq;
    if (packet > this.#lastPacket) this.#lastPacket = packet;
  }

  #advanceTo(position: number): void {
    this.#position = position;
    this.#silence.passed(position);
  }

  /** The position goes on to `timestamp`; what was made up meanwhile stood in for the time between, or was too much or too little of it. */
  #settle(timestamp: number): void {
    const missing = timestamp - this.#position - this.#standIn.samples;
    if (missing > 0) this.#counters.removed(missing);
    else this.#counters.inserted(-missing);
    this.#position = timestamp;
    this.#standIn.settle();
  }

  /** The frame before the head, out of the head, when only that one is still missing, or up to `early` samples before that once something stands in. */
  #recover(now: number, head: HeldFrame, gap: number, early: number): boolean {
    const seq = head.seq - 1;
    const before = gap - this.#standIn.samples - FRAME_SAMPLES;
    if (before > Math.max(0, Math.min(early, this.#standIn.samples)) || gap <= this.#standIn.samples || seq <= this.#last)
      return false;
    const pcm = this.#decoder.recover(head.payload, head.shape);
    if (pcm === undefined) return false;
    this.#settle(head.timestamp - FRAME_SAMPLES);
    this.#advanceTo(head.timestamp);
    this.#took(seq, head.packet - 1);
    this.#emitted(now, head.arrival, 1);
    this.#append("recovered", head.packet - 1, pcm);
    return true;
  }

  /** The head is to be played now, unless waiting costs nothing because nothing is heard anyway. */
  #due(now: number, need: number): void {
    const head = this.#window.head as HeldFrame;
    const early = this.#lateness(now, head) < this.#delay.target - SLACK;
    if (early && this.#standIn.samples >= FADED && now - head.arrival < this.#delay.target) return this.#makeUp(need);
    const gap = head.timestamp - this.#position;
    const missing = this.#missingBefore(head);
    this.#standIn.tellOfGap(missing);
    for (let n = Math.min(missing, OUTAGE); n > HALF; n -= FRAME_SAMPLES) this.#delay.played(true);
    const { seq, packet, shape, timestamp, payload, arrival, by } = this.#window.take();
    const pcm = this.#decoder.decode(payload, shape);
    this.#took(seq, packet);
    if (pcm === undefined) return this.#counters.discarded(packet < 0 ? 0 : 1);
    const afterGap = this.#standIn.samples > 0 || this.#standIn.hasRest;
    if (gap > HALF) this.#link.lost(now);
    this.#settle(timestamp);
    this.#emitted(now, arrival, by === undefined ? undefined : packet < 0 ? 0 : 1);
    const lateness = now - mediaMicros(timestamp) - this.#history.base;
    this.#advanceTo(timestamp + FRAME_SAMPLES);
    const ahead = this.#parts.waiting;
    this.#append(by === undefined ? "source" : "recovered", packet, pcm, by);
    if (!afterGap) this.#stretch(now, lateness, ahead);
  }

  /** What is appended next came at `arrival`. */
  #emitted(now: number, arrival: number, recovered?: number): void {
    const delay = now + mediaMicros(this.#parts.waiting) - arrival;
    this.#counters.emitted(FRAME_SAMPLES, delay, this.#delay.target, recovered);
    this.#delay.played(false);
  }

  #append(kind: "source" | "recovered", packet: number, pcm: Int16Array, by?: FecName): void {
    const added = this.#standIn.join(pcm);
    this.#bought = 0;
    this.#counters.inserted(added);
    this.#parts.add(kind, packet, FRAME_SAMPLES + added, by);
  }

  /** Makes what was just appended shorter or longer, where the delay asks for it and the audio allows it. */
  #stretch(now: number, lateness: number, ahead: number): void {
    const isBeforeGap = this.#isBeforeGap(now, lateness);
    const op = decide({
      delay: lateness,
      target: this.#delay.target,
      level: this.#filter.level,
      span: this.#span,
      ahead: mediaMicros(ahead),
      isLossy: this.#link.isLossy(now),
      isBeforeGap,
      sinceStretch: now - this.#stretched,
      worth: this.#worth,
    });
    if (op === "normal") return;
    const wave = this.#wave;
    const fast = op === "fast-accelerate";
    const least = fast ? ALIKE_FAST : isBeforeGap ? ALIKE_BEFORE_GAP : ALIKE;
    if (op === "preemptive-expand") {
      const added = wave === undefined ? SIZED_PERIOD : wave.lengthen(least);
      if (added === 0) return;
      // Where the delay is to grow it does; elsewhere the time gained is given back by making up less.
      if (isBeforeGap && lateness >= this.#delay.target) this.#bought = added;
      this.#counters.inserted(added);
      this.#parts.stretchLast(added);
      this.#filter.shift(-mediaMicros(added));
    } else {
      const removed = wave === undefined ? SIZED_PERIOD : wave.shorten(least, op === "trim" ? ahead : FRAME_SAMPLES, fast);
      if (removed === 0) return;
      this.#counters.removed(removed);
      this.#parts.stretchLast(-removed);
      this.#filter.shift(mediaMicros(removed));
    }
    this.#stretched = now;
  }

  /**
   * Whether the next frame is missing although a later one came that does not repeat it; or nothing is left at all, although after `lateness` the next frame should have come: where
   * packets are late and not lost it will be late too, and what is missing of it by then is often less than a period of speech.
   */
  #isBeforeGap(now: number, lateness: number): boolean {
    const head = this.#window.head;
    if (this.#isResting(head)) return false;
    const { jitter } = this.#history;
    if (head === undefined) return jitter >= JITTERY && lateness - FRAME_MICROS > jitter && !this.#link.isLossy(now);
    const gap = head.timestamp - this.#position;
    return gap > FRAME_SAMPLES + HALF || (gap > HALF && !this.#repeats(head));
  }

  /** Samples that were sent before `head`, since what was played last, and are not there. */
  #missingBefore(head: HeldFrame): number {
    return this.#isResting(head) ? this.#silence.lostBefore(head, this.#lastPacket) : head.timestamp - this.#position;
  }

  /** Whether the peer said nothing between what was played last and `head`. */
  #isResting(head: HeldFrame | undefined): boolean {
    return this.#silence.ahead(this.#position + this.#standIn.samples, head) === 0;
  }

  /** `samples` (at most a tick's worth) in place of what is not there. */
  #makeUp(samples: number): void {
    this.#standIn.makeUp(samples, { position: this.#position, head: this.#window.head, lastPacket: this.#lastPacket });
  }
}

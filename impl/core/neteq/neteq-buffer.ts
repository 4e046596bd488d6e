/**
 * The jitter buffer after libwebrtc's NetEq: it aims at a delay from a histogram of lateness, and gets there by playing speech a pitch
 * period shorter or longer. What is missing is made up by the decoder, for exactly as long as it is missing.
 * libwebrtc m125, modules/audio_coding/neteq. Left out: NACK.
 *
 * `#position` is the media time of the next sample to be appended to what waits. Audio made up does not move it: whether that stood in
 * for a lost frame or held back a late one is settled when the next real frame is played (`#standIn`).
 */
import type { FecName } from "../../base/fec-scheme.ts";
import type { Instant, Micros } from "../../base/units.ts";
import type { ComfortNoise } from "../../wire/comfort-noise.ts";
import { type Decoder, FRAME_MICROS, FRAME_SAMPLES } from "../codec.ts";
import { CONCEALED_FRAMES } from "../concealment.ts";
import { FrameWindow, type HeldFrame } from "../frame-window.ts";
import type { DelayBounds, JitterBuffer, JitterFrame, JitterOptions, Played } from "../jitter-buffer.ts";
import { JitterCounters, type JitterStatistics } from "../jitter-statistics.ts";
import { AnnouncedSilence } from "../silence/announced-silence.ts";
import { ArrivalHistory } from "./arrival-history.ts";
import { decide, FAST_ABOVE, SLACK } from "./decision.ts";
import { DelayTarget } from "./delay-target.ts";
import { LevelFilter } from "./level-filter.ts";
import { PlayedParts } from "./played-parts.ts";
import { Waveform } from "./waveform.ts";

/**
 * chosen: one tick, because packets are looked for once a tick; 400 ms, beyond which a conversation breaks down (ITU-T G.114 section 4:
 * not above 400 ms).
 */
export const NETEQ_BOUNDS: DelayBounds = { minTarget: 10_000 as Micros, maxTarget: 400_000 as Micros };

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
/** A link has lossy moments until so long after the last frame that never came in time. chosen: longer than between losses of 1 %, shorter than speech takes to wear a reserve. */
const LOSSY = 2_000_000;
/** By then what was late would have come. chosen: what jitter buffers aim at under jitter of 50 ms. */
const LATE = 200_000;
/** What a stretch changes where there is no audio to look at: 10 ms. chosen: a period of a low voice. */
const SIZED_PERIOD = 480;

/** Of frames missing in a row no more count for the delay aimed at: the link was away then, not lossy. chosen: a second. */
const OUTAGE: number = 50 * FRAME_SAMPLES;

const SILENT_FRAME: Int16Array = new Int16Array(FRAME_SAMPLES);

export class NeteqBuffer implements JitterBuffer {
  readonly #decoder: Decoder;
  readonly #history: ArrivalHistory = new ArrivalHistory();
  readonly #delay: DelayTarget;
  readonly #filter: LevelFilter = new LevelFilter();
  readonly #window: FrameWindow = new FrameWindow();
  readonly #counters: JitterCounters = new JitterCounters();
  readonly #parts: PlayedParts = new PlayedParts();
  readonly #silence: AnnouncedSilence = new AnnouncedSilence();
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
  /** Samples made up since the last real one. */
  #standIn = 0;
  /** What the decoder made up and has not been played yet: `#rest[#restAt..]`. */
  #rest: Int16Array = SILENT_FRAME;
  #restAt: number = FRAME_SAMPLES;
  /** Frames the decoder was asked to make up since the last real one. */
  #madeUp = 0;
  #stretched = Number.NEGATIVE_INFINITY;
  /** Samples by which the last real frame was lengthened because the next one is missing: so much less of that is made up. */
  #bought = 0;
  /** When a frame was last played after one that was neither there nor given back. */
  #lostAt = Number.NEGATIVE_INFINITY;
  /** When the first of them was, with never a longer time between. */
  #lossySince = Number.NEGATIVE_INFINITY;
  /** When a frame last came after its time: others may be late too, and not lost. */
  #lateAt = Number.NEGATIVE_INFINITY;

  /** Use `jitterBuffer`, which checks the bounds. */
  constructor(options: Required<JitterOptions>) {
    this.#decoder = options.decoder;
    this.#delay = new DelayTarget(options.bounds);
    this.#wave = options.mode === "real" ? new Waveform() : undefined;
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
      this.#lateAt = now;
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

  /** Audio that came and is still to be played, microseconds. */
  get #span(): number {
    return this.#window.count * FRAME_MICROS + mediaMicros(this.#parts.waiting);
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
    const isLossy = this.#isLossy(now);
    const wait = Math.min(gap - this.#standIn - this.#bought, mediaSamples((isLossy ? 0 : SLACK) - spare));
    if (this.#recover(now, head, gap, isLossy ? mediaSamples(spare + FRAME_MICROS) : 0)) return;
    if (wait <= 0) return this.#due(now, need);
    // A frame that the head repeats is taken from there, as soon as it is its turn.
    const before = gap - FRAME_SAMPLES - this.#standIn;
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
    const limit = this.#standIn > 0 ? SKIP_IN_PAUSE : SKIP_ANYWAY;
    if (this.#spare(now, this.#window.head as HeldFrame) <= limit) return;
    while (this.#window.count > 1 && this.#spare(now, this.#window.head as HeldFrame) > FAST_ABOVE) this.#leaveOut();
  }

  /**
   * Drops the head. The decoder gets to hear it all the same: without it the frames after the gap come out up to six times too loud
   * (measured with Opus 24 kbit/s, speech, 20 frames left out), which is a bang. What it makes of the first continues what waits.
   */
  #leaveOut(): void {
    const { seq, packet, timestamp, payload, shape } = this.#window.take();
    const pcm = this.#decoder.decode(payload, shape);
    this.#took(seq, packet);
    if (!this.#started) return;
    if (pcm !== undefined && this.#restAt === FRAME_SAMPLES) this.#keep(pcm);
    this.#madeUp = 0;
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

  #keep(pcm: Int16Array): void {
    this.#rest = pcm;
    this.#restAt = 0;
  }

  /** The position goes on to `timestamp`; what was made up meanwhile stood in for the time between, or was too much or too little of it. */
  #settle(timestamp: number): void {
    const missing = timestamp - this.#position - this.#standIn;
    if (missing > 0) this.#counters.removed(missing);
    else this.#counters.inserted(-missing);
    this.#position = timestamp;
    this.#standIn = 0;
  }

  #isLossy(now: number): boolean {
    return now - this.#lostAt < LOSSY && now - this.#lossySince >= LATE && now - this.#lateAt >= LOSSY;
  }

  /** The frame before the head, out of the head, when only that one is still missing, or up to `early` samples before that once something stands in. */
  #recover(now: number, head: HeldFrame, gap: number, early: number): boolean {
    const seq = head.seq - 1;
    const before = gap - this.#standIn - FRAME_SAMPLES;
    if (before > Math.max(0, Math.min(early, this.#standIn)) || gap <= this.#standIn || seq <= this.#last) return false;
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
    if (early && this.#standIn >= FADED && now - head.arrival < this.#delay.target) return this.#makeUp(need);
    const gap = head.timestamp - this.#position;
    const missing = this.#isResting(head) ? this.#silence.lostBefore(head, this.#lastPacket) : gap;
    this.#tellOfGap(missing);
    for (let n = Math.min(missing, OUTAGE); n > HALF; n -= FRAME_SAMPLES) this.#delay.played(true);
    const { seq, packet, shape, timestamp, payload, arrival, by } = this.#window.take();
    const pcm = this.#decoder.decode(payload, shape);
    this.#took(seq, packet);
    if (pcm === undefined) return this.#counters.discarded(packet < 0 ? 0 : 1);
    const afterGap = this.#standIn > 0 || this.#restAt < FRAME_SAMPLES;
    if (gap > HALF) {
      if (now - this.#lostAt >= LOSSY) this.#lossySince = now;
      this.#lostAt = now;
    }
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

  /** A decoder that never hears of a gap goes on as if there were none. */
  #tellOfGap(gap: number): void {
    for (
      const frames = Math.min(CONCEALED_FRAMES, Math.floor((gap + HALF) / FRAME_SAMPLES));
      this.#madeUp < frames;
      this.#madeUp++
    ) {
      const pcm = this.#decoder.conceal();
      if (this.#restAt === FRAME_SAMPLES) this.#keep(pcm);
    }
  }

  #append(kind: "source" | "recovered", packet: number, pcm: Int16Array, by?: FecName): void {
    let added = 0;
    if (this.#wave !== undefined) {
      this.#wave.hear(pcm);
      if (this.#restAt < FRAME_SAMPLES) added = this.#wave.join(this.#rest, this.#restAt, pcm);
      else this.#wave.append(pcm, 0, FRAME_SAMPLES);
    }
    this.#restAt = FRAME_SAMPLES;
    this.#madeUp = 0;
    this.#bought = 0;
    this.#counters.inserted(added);
    this.#parts.add(kind, packet, FRAME_SAMPLES + added, by);
  }

  /** Makes what was just appended shorter or longer, where the delay asks for it and the audio allows it. */
  #stretch(now: number, lateness: number, ahead: number): void {
    const isBeforeGap = this.#isBeforeGap();
    const op = decide({
      delay: lateness,
      target: this.#delay.target,
      level: this.#filter.level,
      span: this.#span,
      ahead: mediaMicros(ahead),
      isLossy: this.#isLossy(now),
      isBeforeGap,
      sinceStretch: now - this.#stretched,
    });
    if (op === "normal") return;
    const wave = this.#wave;
    const fast = op === "fast-accelerate";
    const least = fast ? ALIKE_FAST : ALIKE;
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

  /** Whether the next frame is missing although a later one came that does not repeat it. */
  #isBeforeGap(): boolean {
    const head = this.#window.head;
    const gap = head === undefined ? 0 : head.timestamp - this.#position;
    if (head === undefined || gap <= HALF || this.#isResting(head)) return false;
    return gap > FRAME_SAMPLES + HALF || !this.#repeats(head);
  }

  /** Whether the peer said nothing between what was played last and `head`. */
  #isResting(head: HeldFrame | undefined): boolean {
    return this.#silence.ahead(this.#position + this.#standIn, head) === 0;
  }

  /** `samples` (at most a tick's worth) in place of what is not there: noise where nothing was sent, else what the decoder makes up. */
  #makeUp(samples: number): void {
    for (let left = samples; left > 0; ) {
      const ahead = this.#silence.ahead(this.#position + this.#standIn, this.#window.head);
      if (ahead === 0) left -= this.#rustle(left);
      else {
        const part = ahead === undefined ? left : Math.min(left, ahead);
        this.#expand(part);
        left -= part;
      }
    }
  }

  /** At most `samples` of noise; answers how many. What was sent and lost right before the head counts as concealed. */
  #rustle(samples: number): number {
    const head = this.#window.head;
    const lost = this.#silence.lostBefore(head, this.#lastPacket);
    const left = head === undefined ? Number.POSITIVE_INFINITY : head.timestamp - this.#position - this.#standIn;
    const isLost = left > 0 && left <= lost;
    const part = isLost ? Math.min(samples, left) : left > lost ? Math.min(samples, left - lost) : samples;
    this.#restAt = FRAME_SAMPLES;
    this.#wave?.append(this.#silence.noise(part), 0, part);
    this.#standIn += part;
    if (isLost) this.#counters.concealed(part, false);
    else this.#counters.comfort(part);
    this.#parts.add(isLost ? "concealed" : "comfort", -1, part);
    return part;
  }

  /** `samples` of what the decoder makes up, silence once that has faded. */
  #expand(samples: number): void {
    let left = samples;
    while (left > 0) {
      const silent = this.#standIn >= CONCEALED_FRAMES * FRAME_SAMPLES;
      if (this.#restAt === FRAME_SAMPLES) {
        this.#keep(silent ? SILENT_FRAME : this.#decoder.conceal());
        this.#madeUp++;
      }
      const part = Math.min(left, FRAME_SAMPLES - this.#restAt);
      this.#wave?.append(this.#rest, this.#restAt, this.#restAt + part);
      this.#restAt += part;
      this.#standIn += part;
      this.#counters.concealed(part, silent);
      this.#parts.add(silent ? "silence" : "concealed", -1, part);
      left -= part;
    }
  }
}

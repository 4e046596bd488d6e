/**
 * What stands in for audio that is not there: noise where the peer sent nothing, else what the decoder makes up, which is joined to the next real frame. How long it stood in is settled
 * when that is played: whether for a lost frame or for a late one.
 * libwebrtc m125: expand.cc and merge.cc; here the decoder's own concealment is used, which every codec has.
 */
import { type Decoder, FRAME_SAMPLES } from "../codec.ts";
import { CONCEALED_FRAMES } from "../concealment.ts";
import type { HeldFrame } from "../frame-window.ts";
import type { JitterCounters } from "../jitter-statistics.ts";
import type { AnnouncedSilence } from "../silence/announced-silence.ts";
import type { PlayedParts } from "./played-parts.ts";
import type { Waveform } from "./waveform.ts";

export const SILENT_FRAME: Int16Array = new Int16Array(FRAME_SAMPLES);

/** Where it is needed: the media time to be played next, the oldest frame that waits, and the last packet a frame was taken of. */
export type Gap = { readonly position: number; readonly head: HeldFrame | undefined; readonly lastPacket: number };

type Needs = {
  readonly decoder: Decoder;
  /** Undefined when there is no audio to speak of. */
  readonly wave: Waveform | undefined;
  readonly parts: PlayedParts;
  readonly counters: JitterCounters;
  readonly silence: AnnouncedSilence;
};

/** Mutates privately, and what it is given: samples are appended to `wave` and `parts`, and counted. */
export class StandIn {
  readonly #needs: Needs;
  #samples = 0;
  /** What the decoder made up and has not been played yet: `#rest[#restAt..]`. */
  #rest: Int16Array = SILENT_FRAME;
  #restAt: number = FRAME_SAMPLES;
  /** Frames the decoder was asked to make up since the last real one. */
  #madeUp = 0;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  /** Samples since the last real one. */
  get samples(): number {
    return this.#samples;
  }
  /** Whether the decoder made up more than was played. */
  get hasRest(): boolean {
    return this.#restAt < FRAME_SAMPLES;
  }

  /** `samples` (at most a tick's worth) in place of what is not there. */
  makeUp(samples: number, gap: Gap): void {
    for (let left = samples; left > 0; ) {
      const ahead = this.#needs.silence.ahead(gap.position + this.#samples, gap.head);
      if (ahead === 0) left -= this.#rustle(left, gap);
      else {
        const part = ahead === undefined ? left : Math.min(left, ahead);
        this.#expand(part);
        left -= part;
      }
    }
  }

  /** The next real frame is of another time than what stood in: that is settled. */
  settle(): void {
    this.#samples = 0;
  }

  /** A decoder that never hears of a gap goes on as if there were none. */
  tellOfGap(gap: number): void {
    for (
      const frames = Math.min(CONCEALED_FRAMES, Math.floor((gap + FRAME_SAMPLES / 2) / FRAME_SAMPLES));
      this.#madeUp < frames;
      this.#madeUp++
    ) {
      const pcm = this.#needs.decoder.conceal();
      if (!this.hasRest) this.#keep(pcm);
    }
  }

  /** A real frame was decoded that is left out: what became of it continues what waits, unless something does already. */
  leftOut(pcm: Int16Array | undefined): void {
    if (pcm !== undefined && !this.hasRest) this.#keep(pcm);
    this.#madeUp = 0;
  }

  /** Appends a real frame to what waits, joined to what was made up; answers by how many samples that made it longer. */
  join(pcm: Int16Array): number {
    const { wave } = this.#needs;
    let added = 0;
    if (wave !== undefined) {
      wave.hear(pcm);
      if (this.hasRest) added = wave.join(this.#rest, this.#restAt, pcm);
      else wave.append(pcm, 0, FRAME_SAMPLES);
    }
    this.#restAt = FRAME_SAMPLES;
    this.#madeUp = 0;
    return added;
  }

  #keep(pcm: Int16Array): void {
    this.#rest = pcm;
    this.#restAt = 0;
  }

  /** At most `samples` of noise; answers how many. What was sent and lost right before the head counts as concealed. */
  #rustle(samples: number, { position, head, lastPacket }: Gap): number {
    const { wave, parts, counters, silence } = this.#needs;
    const lost = silence.lostBefore(head, lastPacket);
    const left = head === undefined ? Number.POSITIVE_INFINITY : head.timestamp - position - this.#samples;
    const isLost = left > 0 && left <= lost;
    const part = isLost ? Math.min(samples, left) : left > lost ? Math.min(samples, left - lost) : samples;
    this.#restAt = FRAME_SAMPLES;
    wave?.append(silence.noise(part), 0, part);
    this.#samples += part;
    if (isLost) counters.concealed(part, false);
    else counters.comfort(part);
    parts.add(isLost ? "concealed" : "comfort", -1, part);
    return part;
  }

  /** `samples` of what the decoder makes up, silence once that has faded. */
  #expand(samples: number): void {
    const { decoder, wave, parts, counters } = this.#needs;
    let left = samples;
    while (left > 0) {
      const silent = this.#samples >= CONCEALED_FRAMES * FRAME_SAMPLES;
      if (!this.hasRest) {
        this.#keep(silent ? SILENT_FRAME : decoder.conceal());
        this.#madeUp++;
      }
      const part = Math.min(left, FRAME_SAMPLES - this.#restAt);
      wave?.append(this.#rest, this.#restAt, this.#restAt + part);
      this.#restAt += part;
      this.#samples += part;
      counters.concealed(part, silent);
      parts.add(silent ? "silence" : "concealed", -1, part);
      left -= part;
    }
  }
}

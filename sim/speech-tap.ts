/**
 * What a party's encoders made and what its loudspeaker was given, by instant: kept for whoever compares the two after the run (how far is what was heard from what would have been heard
 * without loss). It hands everything on unchanged, and decodes nothing: a run costs no more with it.
 */
import type { Instant } from "../impl/base/units.ts";
import type { CodecEngine } from "../impl/core/codec.ts";

/** One encoded packet; those of one `encoder` (counted from 0) follow each other in one stream. */
export type SpokenPacket = { readonly at: Instant; readonly encoder: number; readonly payload: Uint8Array };
/** 20 ms as they were played. */
export type HeardFrame = { readonly at: Instant; readonly pcm: Int16Array };

export class SpeechTap {
  readonly spoken: SpokenPacket[] = [];
  readonly heard: HeardFrame[] = [];
  readonly #now: () => Instant;
  #encoders = 0;

  constructor(now: () => Instant) {
    this.#now = now;
  }

  /** The same engine, whose encoders' packets are kept. */
  tapped(codec: CodecEngine): CodecEngine {
    return {
      ...codec,
      encoder: (settings) => {
        const inner = codec.encoder(settings);
        const encoder = this.#encoders++;
        return {
          encode: (pcm) => {
            const payload = inner.encode(pcm);
            this.spoken.push({ at: this.#now(), encoder, payload });
            return payload;
          },
          free: () => inner.free(),
        };
      },
    };
  }

  played(pcm: Int16Array): void {
    this.heard.push({ at: this.#now(), pcm });
  }
}

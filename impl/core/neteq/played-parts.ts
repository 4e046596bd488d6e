/**
 * Which packets the audio that waits is made of, so that every tick can say what it played although stretched frames no longer fill
 * whole ticks. A tick is what most of its samples are; its packet is the one most of those samples are of, if it has not been named yet.
 */
import type { FecName } from "../../base/fec-scheme.ts";
import { FRAME_SAMPLES } from "../codec.ts";
import type { Played } from "../jitter-buffer.ts";

type Kind = Played["kind"];
type Part = { readonly kind: Kind; readonly seq: number; readonly by: FecName | undefined; samples: number };

export class PlayedParts {
  readonly #parts: Part[] = [];
  #waiting = 0;
  #named = -1;

  /** Samples that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** `samples` more wait; `seq` -1 for what is of no packet, `by` for what was given back. */
  add(kind: Kind, seq: number, samples: number, by?: FecName): void {
    this.#parts.push({ kind, seq, by, samples });
    this.#waiting += samples;
  }

  /** The last part grows by `samples` (negative: shrinks, and stays longer than 0). */
  stretchLast(samples: number): void {
    const last = this.#parts.at(-1);
    if (last === undefined) return;
    last.samples += samples;
    this.#waiting += samples;
  }

  /** Takes a tick's worth away and says what it was; at least that much must wait. */
  play(pcm: Int16Array): Played {
    const first = this.#parts[0];
    if (first?.samples === FRAME_SAMPLES) {
      this.#parts.shift();
      this.#waiting -= FRAME_SAMPLES;
      return this.#name(first, first.kind, pcm);
    }
    const taken: Part[] = [];
    let left = FRAME_SAMPLES;
    for (let part = this.#parts[0]; left > 0 && part !== undefined; part = this.#parts[0]) {
      const samples = Math.min(left, part.samples);
      taken.push({ ...part, samples });
      left -= samples;
      part.samples -= samples;
      if (part.samples === 0) this.#parts.shift();
    }
    this.#waiting -= FRAME_SAMPLES;
    const kind = dominant(taken);
    let named: Part | undefined;
    for (const part of taken) {
      if (part.kind === kind && part.seq > this.#named && (named === undefined || part.samples > named.samples)) named = part;
    }
    return this.#name(named ?? taken.find((part) => part.kind === kind), kind, pcm);
  }

  #name(part: Part | undefined, kind: Kind, pcm: Int16Array): Played {
    const by = part?.by;
    if (part === undefined || part.seq <= this.#named) return by === undefined ? { kind, pcm } : { kind, by, pcm };
    this.#named = part.seq;
    return by === undefined ? { kind, seq: part.seq, pcm } : { kind, seq: part.seq, by, pcm };
  }
}

/** The kind of most samples; the earlier one of a tie. */
function dominant(parts: readonly Part[]): Kind {
  let best: Kind = "silence";
  let most = 0;
  for (const { kind } of parts) {
    let samples = 0;
    for (const part of parts) if (part.kind === kind) samples += part.samples;
    if (samples > most) {
      most = samples;
      best = kind;
    }
  }
  return best;
}

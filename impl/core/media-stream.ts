/**
 * The media of one call at one party: encode, seal and number what is captured; open, buffer and play what arrives.
 * It belongs to the call and not to a session, so packet numbers, keys, replay window and jitter buffer go on over any change
 * of relay, session or path.
 */
import type { JitterBufferName } from "../base/jitter-buffer-name.ts";
import type { RefusalReason, Saying } from "../base/record.ts";
import type { Instant } from "../base/units.ts";
import type { View } from "../base/view.ts";
import { type CodecEngine, type CodecSettings, type Decoder, type Encoder, FRAME_SAMPLES } from "./codec.ts";
import type { CryptoEngine } from "./crypto.ts";
import { FrameLog, type FrameRun } from "./frame-log.ts";
import type { JitterBuffer, Played } from "./jitter-buffer.ts";
import { jitterBuffer } from "./jitter-buffers.ts";
import type { CallKeys } from "./key-agreement.ts";
import { Opener, Sealer } from "./packet-protection.ts";

type Kind = Played["kind"];

export type MediaOptions = {
  readonly call: string;
  readonly keys: CallKeys;
  readonly crypto: CryptoEngine;
  readonly codec: CodecEngine;
  readonly settings: CodecSettings;
  readonly jitterBuffer: JitterBufferName;
  readonly say: (saying: Saying) => void;
};

export class MediaStream {
  readonly #options: MediaOptions;
  readonly #encoder: Encoder;
  readonly #decoder: Decoder;
  readonly #sealer: Sealer;
  readonly #opener: Opener;
  readonly #buffer: JitterBuffer;
  readonly #sent: FrameLog;
  readonly #received: FrameLog;
  readonly #played: FrameLog;
  #playedKind: Kind = "silence";
  #captured = 0;
  #ticks = 0;

  constructor(options: MediaOptions) {
    const { call, keys, crypto, codec, settings, say } = options;
    this.#options = options;
    this.#encoder = codec.encoder(settings);
    this.#decoder = codec.decoder();
    this.#sealer = new Sealer(crypto, keys.send);
    this.#opener = new Opener(crypto, keys.receive);
    this.#buffer = jitterBuffer(options.jitterBuffer, { decoder: this.#decoder, mode: codec.mode });
    const frames = (run: FrameRun): { n: number; at: number; step: number | readonly number[] } => ({
      n: run.n,
      at: run.at,
      step: run.step,
    });
    this.#sent = new FrameLog((run) => say({ ev: "media-sent", call, key: keys.sendId, seq: run.seq, ...frames(run) }));
    this.#received = new FrameLog((run) =>
      say({ ev: "media-received", call, key: keys.receiveId, seq: run.seq, ...frames(run) }),
    );
    this.#played = new FrameLog((run) =>
      say({ ev: "media-played", call, kind: this.#playedKind, ...(run.seq === -1 ? {} : { seq: run.seq }), ...frames(run) }),
    );
  }

  /** One captured frame: the packet to send now, or undefined when there is nothing to send it on (`channel` undefined). */
  capture(now: Instant, pcm: Int16Array, channel: number | undefined): Uint8Array | undefined {
    const timestamp = this.#captured++ * FRAME_SAMPLES;
    if (channel === undefined) return undefined;
    const { packet, seq } = this.#sealer.seal({ channel, timestamp, payload: this.#encoder.encode(pcm) });
    this.#sent.push(now, seq);
    return packet;
  }

  /** Full headers again: the next packets go to a relay or over a path that may not have seen the last ones. */
  resync(): void {
    this.#sealer.resync();
  }

  /** Takes a packet of the peer; a reason when it was refused. */
  receive(now: Instant, packet: Uint8Array): RefusalReason | undefined {
    const opened = this.#opener.open(packet);
    if (!opened.ok) return opened.reason;
    this.#received.push(now, opened.seq);
    this.#buffer.insert(now, opened);
    return undefined;
  }

  /** 960 samples to play now; undefined before the first audio. */
  playout(now: Instant): Int16Array | undefined {
    const played = this.#buffer.playout(now);
    if (played === undefined) return undefined;
    if (played.kind !== this.#playedKind) {
      this.#played.flush();
      this.#playedKind = played.kind;
    }
    this.#played.push(now, played.seq ?? -1);
    if (++this.#ticks % 50 === 0) this.#stats();
    return played.pcm;
  }

  view(): View {
    return { captured: this.#captured, playoutTicks: this.#ticks, playing: this.#playedKind, ...this.#buffer.stats() };
  }

  /** Writes what is pending to the log and frees the coders; the stream is of no use afterwards. */
  end(): void {
    this.#sent.flush();
    this.#received.flush();
    this.#played.flush();
    if (this.#ticks > 0) this.#stats();
    this.#encoder.free();
    this.#decoder.free();
  }

  #stats(): void {
    this.#options.say({ ev: "stats", call: this.#options.call, ...this.#buffer.stats() });
  }
}

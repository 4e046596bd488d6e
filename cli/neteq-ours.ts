/** Our sender and receiver over a list of drops and delays, in virtual time: our half of `midcall bench neteq`. */
import type { FecScheme } from "../impl/base/fec-scheme.ts";
import { Instant, Micros } from "../impl/base/units.ts";
import { type CodecEngine, type CodecSettings, FRAME_MICROS, FRAME_SAMPLES, GOOD } from "../impl/core/codec.ts";
import type { JitterStatistics } from "../impl/core/jitter-statistics.ts";
import { capabilities, DEFAULT_FEC, MediaStream } from "../impl/core/media-stream.ts";
import { LOSS_PRICE } from "../impl/core/neteq/delay-target.ts";
import { DEFAULT_VOICE } from "../impl/core/voice/options.ts";
import { nullCrypto } from "../sim/null-crypto.ts";
import type { InboundAudio } from "./neteq-page.ts";
import { type Listened, listened, type Mode, SETTLING, type Trial } from "./neteq-trial.ts";

type Engine = CodecEngine & { refilled?(): Promise<void> };

const [ONE, TWO] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];

/** Share of packets, 0..1, that a list drops. */
export const lostOf = (delays: Float64Array): number => delays.reduce((n, delay) => n + (delay < 0 ? 1 : 0), 0) / delays.length;

/** Chromium tells its encoder the loss it measures, at most 20 %; so does this. */
const settingsFor = ({ mode, delays }: Trial): CodecSettings => ({
  ...GOOD,
  fec: mode.lbrr,
  expectedLossPercent: mode.lbrr ? Math.min(20, Math.round(100 * lostOf(delays))) : 0,
});

const schemeOf = ({ red }: Mode): FecScheme => (red === 0 ? { scheme: "none" } : { scheme: "red", depth: red });

const COMMON = {
  ...{ call: "c", crypto: nullCrypto, voice: DEFAULT_VOICE, peerCodecs: [] },
  jitterBuffer: "neteq",
  say: () => {},
} as const;

/** Both ends over lists; what was sent before with the same settings is not encoded again. */
export class OurCalls {
  readonly #engine: Engine;
  readonly #sent: Map<string, readonly (readonly Uint8Array[])[]> = new Map();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** `lossPrice`: as in JitterOptions. */
  async listen(trial: Trial, lossPrice: number = LOSS_PRICE): Promise<Listened> {
    await this.#engine.refilled?.();
    const { mode, delays, measured, phase } = trial;
    const arrivals = this.#packets(trial).flatMap((packets, i) => {
      const delay = delays[i] ?? -1;
      return delay < 0 ? [] : packets.map((packet) => ({ at: Math.round((i + 1) * FRAME_MICROS + delay), packet }));
    });
    arrivals.sort((a, b) => a.at - b.at);
    const fec = { scheme: schemeOf(mode), codes: DEFAULT_FEC.codes };
    const receiver = new MediaStream({
      ...{ ...COMMON, codec: this.#engine, settings: settingsFor(trial), lossPrice: Micros(lossPrice) },
      ...{ fec: DEFAULT_FEC, peerFec: [], peerSends: capabilities(fec).sends },
      keys: { send: TWO, receive: ONE, sendId: "b", receiveId: "a" },
    });
    const stats = (): InboundAudio => {
      const view = receiver.view() as unknown as JitterStatistics;
      return { ...view, packetsReceived: view.packetsReceived };
    };
    let [next, before]: [number, InboundAudio | undefined] = [0, undefined];
    for (let now = phase; now < SETTLING + measured; now += FRAME_MICROS) {
      for (let one = arrivals[next]; one !== undefined && one.at <= now; one = arrivals[++next])
        receiver.receive(Instant(one.at), one.packet);
      receiver.playout(Instant(now));
      if (before === undefined && now >= SETTLING) before = stats();
    }
    const result = listened(stats(), before ?? stats());
    receiver.end();
    return result;
  }

  /** What the sender sends for each frame. */
  #packets(trial: Trial): readonly (readonly Uint8Array[])[] {
    const { mode, pcm, delays } = trial;
    const settings = settingsFor(trial);
    const key = `${mode.name} ${settings.expectedLossPercent} ${delays.length}`;
    const known = this.#sent.get(key);
    if (known !== undefined) return known;
    const fec = { scheme: schemeOf(mode), codes: DEFAULT_FEC.codes };
    const sender = new MediaStream({
      ...{ ...COMMON, codec: this.#engine, settings, fec, peerFec: capabilities(fec).fec, peerSends: undefined },
      keys: { send: ONE, receive: TWO, sendId: "a", receiveId: "b" },
    });
    const frames = Math.floor(pcm.length / FRAME_SAMPLES);
    const sent = Array.from(delays, (_, i) => {
      const from = (i % frames) * FRAME_SAMPLES;
      const packets = sender.capture(Instant((i + 1) * FRAME_MICROS), pcm.subarray(from, from + FRAME_SAMPLES), 1);
      return [...packets].map((packet) => packet.slice());
    });
    sender.end();
    this.#sent.set(key, sent);
    return sent;
  }
}

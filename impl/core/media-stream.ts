/**
 * The media of one call at one party: encode, seal and number what is captured; open, buffer and play what arrives.
 * It belongs to the call and not to a session, so packet numbers, keys, replay window and jitter buffer go on over any change
 * of relay, session or path.
 */

import { type FecName, type FecScheme, NO_FEC, nameOfScheme } from "../base/fec-scheme.ts";
import type { JitterBufferName } from "../base/jitter-buffer-name.ts";
import type { RefusalReason, Saying } from "../base/record.ts";
import { type Instant, type Micros, millis } from "../base/units.ts";
import type { View } from "../base/view.ts";
import { parseComfortNoise, putComfortNoise } from "../wire/comfort-noise.ts";
import { kindOf } from "../wire/media-header.ts";
import type { SendsFec } from "../wire/signal.ts";
import { type CodecEngine, type CodecSettings, FRAME_MICROS, FRAME_SAMPLES } from "./codec.ts";
import type { CryptoEngine } from "./crypto.ts";
import type { BlockCodeName, BlockCodes } from "./fec/block-code.ts";
import { EXCLUSIVE_OR } from "./fec/exclusive-or.ts";
import { Protector } from "./fec/protector.ts";
import { type RecoveredPacket, Recoverer } from "./fec/recoverer.ts";
import { REED_SOLOMON } from "./fec/reed-solomon.ts";
import { holdOf } from "./fec/scheme.ts";
import type { SourcePacket } from "./fec/source-packet.ts";
import { FrameLog, type FrameRun } from "./frame-log.ts";
import type { JitterBuffer, Played } from "./jitter-buffer.ts";
import { jitterBuffer } from "./jitter-buffers.ts";
import type { CallKeys } from "./key-agreement.ts";
import { Opener, Sealer } from "./packet-protection.ts";
import { type Effect, MAX_RATE } from "./quality/controller.ts";
import { QualityLink } from "./quality/quality-link.ts";
import { Discontinuous } from "./silence/discontinuous.ts";
import type { NoiseRemoval } from "./silence/noise-remover.ts";
import { textOctets } from "./transcript.ts";
import { CODEC_WORDS, codingOf, type Engines } from "./voice/coding.ts";
import { adapts, type VoiceOptions } from "./voice/options.ts";
import { UnitNumbers } from "./voice/unit-numbers.ts";
import { VoiceDecoder } from "./voice/voice-decoder.ts";
import { type Encoded, type Quiet, VoiceEncoder } from "./voice/voice-encoder.ts";

/** What a client is told about forward error correction. */
export type FecOptions = {
  /** What it sends with, when the peer can make use of it. */
  readonly scheme: FecScheme;
  /** The codes it has: for sending, and for what peers send. */
  readonly codes: BlockCodes;
};

/** Sends nothing twice, and makes use of what needs no WebAssembly. */
export const DEFAULT_FEC: FecOptions = {
  scheme: NO_FEC,
  codes: new Map([
    ["xor", EXCLUSIVE_OR],
    ["rs", REED_SOLOMON],
  ]),
};

/** What a party can make use of and what it will send with, in the words of an offer or an answer. */
export function capabilities({ scheme, codes }: FecOptions): { readonly fec: readonly FecName[]; readonly sends?: SendsFec } {
  const fec: readonly FecName[] = ["red", "rlc", ...codes.keys()];
  if (scheme.scheme === "none") return { fec };
  return { fec, sends: { scheme: scheme.scheme, hold_ms: (holdOf(scheme) * FRAME_MICROS) / 1_000 } };
}

export type MediaOptions = {
  readonly call: string;
  readonly keys: CallKeys;
  readonly crypto: CryptoEngine;
  readonly codec: CodecEngine;
  readonly settings: CodecSettings;
  readonly jitterBuffer: JitterBufferName;
  /** As in JitterOptions. */
  readonly lossPrice?: Micros;
  readonly fec: FecOptions;
  /** What the peer can make use of; a peer of before this was a choice says nothing, and is sent nothing of it. */
  readonly peerFec: readonly string[];
  /** What it will send with; it tells again in every packet, but the first ones must wait long enough already. */
  readonly peerSends: SendsFec | undefined;
  readonly voice: VoiceOptions;
  /** What it can play, and whether it wants reports; a peer of before these words says nothing. */
  readonly peerCodecs: readonly string[];
  readonly say: (saying: Saying) => void;
};

/**
 * Repair, reports and comfort noise are numbered on their own, so they have keys of their own: one key never seals two packets of one number. Numbers of
 * speech so have no holes where nothing was said, and a hole is a loss.
 */
const REPAIR_LABEL = textOctets("midcall repair v1");
const REPORT_LABEL = textOctets("midcall report v1");
const COMFORT_LABEL = textOctets("midcall comfort v1");
const derived = (crypto: CryptoEngine, key: Uint8Array, label: Uint8Array): Uint8Array =>
  crypto.derive(key, new Uint8Array(0), label, 32);

const NOTHING: readonly Uint8Array[] = [];

export class MediaStream {
  readonly #options: MediaOptions;
  readonly #voice: VoiceEncoder;
  readonly #decoder: VoiceDecoder;
  readonly #sealer: Sealer;
  readonly #opener: Opener;
  readonly #repairSealer: Sealer;
  readonly #repairOpener: Opener;
  readonly #reportSealer: Sealer;
  readonly #reportOpener: Opener;
  readonly #comfortSealer: Sealer;
  readonly #comfortOpener: Opener;
  /** Undefined: every frame is sent. */
  readonly #noise: NoiseRemoval | undefined;
  readonly #silence: Discontinuous | undefined;
  readonly #quality: QualityLink;
  readonly #protector: Protector;
  readonly #recoverer: Recoverer;
  readonly #buffer: JitterBuffer;
  readonly #units: UnitNumbers = new UnitNumbers();
  readonly #sent: FrameLog;
  /** Units of 20 ms in the packets of the run that is being logged. */
  #sentUnits = 1;
  readonly #received: FrameLog;
  readonly #played: FrameLog;
  #playing: Pick<Played, "kind" | "by"> = { kind: "silence" };
  #captured = 0;
  #ticks = 0;
  #payloadBytes = 0;
  #sealedBytes = 0;
  #sealedPackets = 0;
  #repairPacketsReceived = 0;
  #givenBack = 0;

  constructor(options: MediaOptions) {
    const { call, keys, crypto, codec, settings, fec, peerFec, peerSends, voice, peerCodecs, say } = options;
    this.#options = options;
    const engines: Engines = { opus: codec, codec2: voice.codec2 };
    const scheme = peerFec.includes(fec.scheme.scheme) ? fec.scheme : NO_FEC;
    const peer = peerFec.filter((name) => name === "red" || name === "rlc" || fec.codes.has(name as BlockCodeName));
    const choice = { tier: voice.tier, adaptsFec: voice.adaptsFec, scheme, peer, maxRate: MAX_RATE };
    this.#quality = new QualityLink(choice, peerCodecs.includes(CODEC_WORDS.report));
    this.#voice = new VoiceEncoder((tier) => codingOf(tier, engines, settings, peerCodecs), this.#quality.state.tier);
    this.#decoder = new VoiceDecoder(engines);
    this.#sealer = new Sealer(crypto, keys.send);
    this.#opener = new Opener(crypto, keys.receive);
    this.#repairSealer = new Sealer(crypto, derived(crypto, keys.send, REPAIR_LABEL));
    this.#repairOpener = new Opener(crypto, derived(crypto, keys.receive, REPAIR_LABEL));
    this.#reportSealer = new Sealer(crypto, derived(crypto, keys.send, REPORT_LABEL));
    this.#reportOpener = new Opener(crypto, derived(crypto, keys.receive, REPORT_LABEL));
    this.#comfortSealer = new Sealer(crypto, derived(crypto, keys.send, COMFORT_LABEL));
    this.#comfortOpener = new Opener(crypto, derived(crypto, keys.receive, COMFORT_LABEL));
    this.#silence = voice.dtx === true && peerCodecs.includes(CODEC_WORDS.comfort) ? new Discontinuous() : undefined;
    this.#noise = voice.denoise === true ? voice.noiseRemover?.open() : undefined;
    this.#protector = new Protector(scheme, fec.codes);
    this.#recoverer = new Recoverer(fec.codes);
    this.#buffer = jitterBuffer(options.jitterBuffer, {
      ...{ decoder: this.#decoder, mode: codec.mode },
      ...(options.lossPrice === undefined ? {} : { lossPrice: options.lossPrice }),
    });
    if (peerSends !== undefined && capabilities(fec).fec.some((name) => name === peerSends.scheme)) {
      this.#recoverer.expect(millis(peerSends.hold_ms));
      this.#buffer.holdFor(this.#recoverer.hold);
    }
    const frames = (run: FrameRun): { n: number; at: number; step: number | readonly number[] } => ({
      n: run.n,
      at: run.at,
      step: run.step,
    });
    this.#sent = new FrameLog((run) => {
      const units = this.#sentUnits === 1 ? {} : { units: this.#sentUnits };
      say({ ev: "media-sent", call, key: keys.sendId, seq: run.seq, ...units, ...frames(run) });
    });
    this.#received = new FrameLog((run) =>
      say({ ev: "media-received", call, key: keys.receiveId, seq: run.seq, ...frames(run) }),
    );
    this.#played = new FrameLog((run) =>
      say({ ev: "media-played", call, ...this.#playing, ...(run.seq === -1 ? {} : { seq: run.seq }), ...frames(run) }),
    );
    if (voice.noCodec2 !== undefined && (voice.tier === "catastrophic" || voice.tier === "adaptive"))
      say({
        ev: "note",
        text: `no Codec2 (${voice.noCodec2}): its tier is ${codingOf("catastrophic", engines, settings, peerCodecs).name}`,
      });
    if (this.#isTiered) this.#sayTier("begun");
  }

  /**
   * One captured frame of 20 ms: the packets to send now, media, repair and reports; none while a packet fills, or when there is nothing to send
   * them on (`channel` undefined).
   */
  capture(now: Instant, pcm: Int16Array, channel: number | undefined): readonly Uint8Array[] {
    const timestamp = this.#captured++ * FRAME_SAMPLES;
    if (channel === undefined) {
      this.#voice.cut();
      this.#silence?.cut();
      return NOTHING;
    }
    const clean = this.#noise?.process(pcm) ?? pcm;
    const full = this.#voice.push(timestamp, clean, this.#silence?.speaks(clean) ?? true);
    const media =
      full === undefined ? NOTHING : full.payload === undefined ? this.#pause(channel, full) : this.#seal(now, channel, full);
    const report = this.#quality.due(now);
    const packets = report === undefined ? media : [...media, this.#sealReport(channel, report)];
    this.#sealedPackets += packets.length;
    for (const { length } of packets) {
      this.#sealedBytes += length;
      this.#quality.sent(length);
    }
    return packets;
  }

  #seal(now: Instant, channel: number, { coding, timestamp, payload: frame, opens }: Encoded): readonly Uint8Array[] {
    this.#payloadBytes += frame.length;
    this.#silence?.spoke();
    const frames = coding.units;
    const source = { seq: this.#sealer.next, timestamp, codec: coding.codec, frames, payload: frame };
    const { payload, codec, repairs } = this.#protector.protect(source);
    const { packet, seq } = this.#sealer.seal({ channel, timestamp, payload, codec, frames, marker: opens });
    if (frames !== this.#sentUnits) this.#sent.flush();
    this.#sentUnits = frames;
    this.#sent.push(now, seq);
    const packets = [packet];
    for (const repair of repairs) packets.push(this.#sealRepair(channel, repair));
    return packets;
  }

  /** In place of a packet in which nobody speaks: repair that is still owed, and the noise's description when it is due. */
  #pause(channel: number, { coding, timestamp }: Quiet): readonly Uint8Array[] {
    const repairs = this.#protector.rest().map((repair) => this.#sealRepair(channel, repair));
    const noise = this.#silence?.pause(coding.units);
    if (noise === undefined) return repairs;
    const payload = putComfortNoise(noise);
    this.#payloadBytes += payload.length;
    return [...repairs, this.#comfortSealer.seal({ channel, timestamp, payload, kind: "comfort", frames: coding.units }).packet];
  }

  #sealReport(channel: number, payload: Uint8Array): Uint8Array {
    const timestamp = this.#reportSealer.next * FRAME_SAMPLES;
    return this.#reportSealer.seal({ channel, timestamp, payload, kind: "report" }).packet;
  }

  /** The time in its header means nothing (repair says inside what it is about) and advances so that mini headers do. */
  #sealRepair(channel: number, payload: Uint8Array): Uint8Array {
    const timestamp = this.#repairSealer.next * FRAME_SAMPLES;
    return this.#repairSealer.seal({ channel, timestamp, payload, kind: "parity" }).packet;
  }

  /** Whether the log tells of tiers: not in calls that stay as they always were. */
  get #isTiered(): boolean {
    const { voice } = this.#options;
    return voice.tier !== "good" || adapts(voice);
  }

  /** Full headers again: the next packets go to a relay or over a path that may not have seen the last ones. */
  resync(): void {
    this.#sealer.resync();
    this.#repairSealer.resync();
    this.#reportSealer.resync();
    this.#comfortSealer.resync();
  }

  /** Takes a packet of the peer; a reason when it was refused. */
  receive(now: Instant, packet: Uint8Array): RefusalReason | undefined {
    const kind = kindOf(packet);
    if (kind === "parity") return this.#receiveRepair(now, packet);
    if (kind === "report") return this.#receiveReport(now, packet);
    if (kind === "comfort") return this.#receiveComfort(now, packet);
    const opened = this.#opener.open(packet);
    if (!opened.ok) return opened.reason;
    this.#received.push(now, opened.seq);
    this.#quality.reception.media(now, opened, packet.length);
    const received = this.#recoverer.source(opened);
    if (!received.ok) return received.reason;
    this.#insert(now, received.own);
    this.#giveBack(now, received.recovered);
    return received.unusable;
  }

  #receiveRepair(now: Instant, packet: Uint8Array): RefusalReason | undefined {
    const opened = this.#repairOpener.open(packet);
    if (!opened.ok) return opened.reason;
    this.#repairPacketsReceived++;
    this.#quality.reception.repair(packet.length);
    const repaired = this.#recoverer.repair(opened.payload);
    if (!repaired.ok) return repaired.reason;
    this.#giveBack(now, repaired.recovered);
    return undefined;
  }

  #giveBack(now: Instant, recovered: readonly RecoveredPacket[]): void {
    this.#buffer.holdFor(this.#recoverer.hold);
    this.#givenBack += recovered.length;
    for (const packet of recovered) this.#insert(now, packet, packet.by);
  }

  /** Frame by frame, whatever a packet carries. */
  #insert(now: Instant, packet: SourcePacket, by?: FecName): void {
    const { timestamp, frames: units, payload, codec, marker: opens = false } = packet;
    const first = this.#units.of(packet.seq, timestamp, units);
    if (first === undefined) return;
    for (let part = 0; part < units; part++) {
      const shape = { codec, units, part, opens };
      const frame = { seq: first + part, packet: packet.seq, timestamp: timestamp + part * FRAME_SAMPLES, payload, shape };
      this.#buffer.insert(now, by === undefined ? frame : { ...frame, by });
    }
  }

  #receiveComfort(now: Instant, packet: Uint8Array): RefusalReason | undefined {
    const opened = this.#comfortOpener.open(packet);
    if (!opened.ok) return opened.reason;
    const noise = parseComfortNoise(opened.payload);
    if (noise === undefined) return "malformed";
    this.#buffer.rest(now, opened.timestamp, noise);
    return undefined;
  }

  #receiveReport(now: Instant, packet: Uint8Array): RefusalReason | undefined {
    const opened = this.#reportOpener.open(packet);
    if (!opened.ok) return opened.reason;
    const effects = this.#quality.heard(now, opened.payload);
    if (effects === undefined) return "malformed";
    for (const effect of effects) this.#speak(effect);
    return undefined;
  }

  /** Goes on in another tier or with other redundancy, from the next packet on. */
  #speak({ tier, scheme, reason }: Effect): void {
    this.#voice.change(tier);
    if (nameOfScheme(scheme) !== nameOfScheme(this.#protector.scheme)) this.#protector.change(scheme);
    this.#sayTier(reason);
  }

  #sayTier(reason: string): void {
    const { call, say } = this.#options;
    const { tier, name: coding } = this.#voice.coding;
    const sent = { payloadBytes: this.#payloadBytes, sealedBytes: this.#sealedBytes, sealedPackets: this.#sealedPackets };
    say({ ev: "tier", call, tier, coding, scheme: nameOfScheme(this.#protector.scheme), ...sent, reason });
  }

  /** 960 samples to play now; undefined before the first audio. */
  playout(now: Instant): Int16Array | undefined {
    const played = this.#buffer.playout(now);
    if (played === undefined) return undefined;
    const { kind, by } = played;
    if (kind !== this.#playing.kind || by !== this.#playing.by) {
      this.#played.flush();
      this.#playing = by === undefined ? { kind } : { kind, by };
    }
    this.#played.push(now, played.seq ?? -1);
    if (++this.#ticks % 50 === 0) this.#stats();
    return played.pcm;
  }

  view(): View {
    return { captured: this.#captured, playoutTicks: this.#ticks, playing: this.#playing.kind, ...this.#buffer.stats() };
  }

  /** Writes what is pending to the log and frees the coders; the stream is of no use afterwards. */
  end(): void {
    this.#sent.flush();
    this.#received.flush();
    this.#played.flush();
    if (this.#ticks > 0) this.#stats();
    if (this.#isTiered) this.#sayTier("ended");
    this.#voice.free();
    this.#noise?.free();
    this.#decoder.free();
  }

  #stats(): void {
    const { call, say } = this.#options;
    const { fecPacketsDiscarded, lateDiscarded, generatedNoiseSamples, ...stats } = this.#buffer.stats();
    const { roundTripTime } = this.#quality;
    say({
      ...{ ev: "stats", call, ...stats },
      ...(fecPacketsDiscarded === 0 ? {} : { fecPacketsDiscarded }),
      ...(lateDiscarded === 0 ? {} : { lateDiscarded }),
      ...(generatedNoiseSamples === 0 ? {} : { generatedNoiseSamples }),
      ...(roundTripTime === undefined ? {} : { roundTripTime }),
    });
    const { scheme } = this.#protector;
    if (scheme.scheme === "none" && this.#recoverer.hold === 0 && this.#givenBack === 0) return;
    say({
      ev: "fec",
      call,
      scheme: nameOfScheme(scheme),
      payloadBytes: this.#payloadBytes,
      sealedBytes: this.#sealedBytes,
      repairPacketsSent: this.#repairSealer.next,
      repairPacketsReceived: this.#repairPacketsReceived,
      givenBack: this.#givenBack,
      holdMs: this.#recoverer.hold / 1_000,
    });
  }
}

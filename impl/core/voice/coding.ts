/**
 * What each tier is made of: an engine, its settings and how much audio one packet carries. The peer's word decides what can be used: one of before
 * these words existed is sent 20 ms of Opus a packet and nothing else.
 */
import type { Tier } from "../../base/tier.ts";
import { CODEC_CODEC2_1200, CODEC_OPUS } from "../../wire/media-header.ts";
import type { CodecEngine, CodecSettings } from "../codec.ts";

/** Words in capability lists (`codecs` of DirectCallOffer and DirectCallAnswer): what a party can play when it is sent it. */
export const CODEC_WORDS = {
  /** Opus in packets of more than 20 ms. */
  long: "opus-long",
  codec2: "codec2-1200",
  /** It wants to hear how its packets fare (impl/wire/voice-report.ts). */
  report: "voice-report",
  /** Descriptions of noise in place of silence (impl/wire/comfort-noise.ts). */
  comfort: "comfort-noise",
} as const;

export type Coding = {
  readonly tier: Tier;
  /** CODEC_OPUS or CODEC_CODEC2_1200. */
  readonly codec: number;
  readonly engine: CodecEngine;
  readonly settings: CodecSettings;
  /** Units of 20 ms in a packet. */
  readonly units: number;
  /** For logs: `opus 24k 20 ms`. */
  readonly name: string;
};

/** What this party has. `codec2` absent: Opus takes its tier. */
export type Engines = { readonly opus: CodecEngine; readonly codec2: CodecEngine | undefined };

/** DEGRADED: Opus at 6 kbit/s. It has no in-band FEC at that rate (libopus' decide_fec: from 12 kbit/s at the least). */
const DEGRADED: CodecSettings = { bitrate: 6_000, complexity: 5, fec: false, expectedLossPercent: 0 };
/** chosen: at 6 kbit/s a packet of 20 ms is four fifths headers (15 of 95 octets with QUIC's); 40 ms costs half as much, and 20 ms of delay. */
const DEGRADED_UNITS = 2;
/** chosen: two frames of 40 ms, 12 octets: 9 kbit/s on the wire instead of 17; a third frame would save 3 more and cost 40 ms of delay. */
const CODEC2_UNITS = 4;
const CODEC2: CodecSettings = { bitrate: 1_200, complexity: 5, fec: false, expectedLossPercent: 0, units: CODEC2_UNITS };
/** In Codec2's place: the longest packet Opus has. */
const INSTEAD_UNITS = 3;

/** `good`: the settings of the best tier. `peer`: the words of its offer or answer. */
export function codingOf(tier: Tier, engines: Engines, good: CodecSettings, peer: readonly string[]): Coding {
  const plays = (word: string): boolean => peer.includes(word);
  const opus = (settings: CodecSettings, units: number): Coding => ({
    tier,
    codec: CODEC_OPUS,
    engine: engines.opus,
    settings: units === 1 ? settings : { ...settings, units },
    units,
    name: `opus ${settings.bitrate / 1_000}k ${units * 20} ms`,
  });
  if (tier === "good") return opus(good, good.units ?? 1);
  if (tier === "degraded") return opus(DEGRADED, plays(CODEC_WORDS.long) ? DEGRADED_UNITS : 1);
  if (engines.codec2 === undefined || !plays(CODEC_WORDS.codec2))
    return opus(DEGRADED, plays(CODEC_WORDS.long) ? INSTEAD_UNITS : 1);
  const name = `codec2 1.2k ${CODEC2_UNITS * 20} ms`;
  return { tier, codec: CODEC_CODEC2_1200, engine: engines.codec2, settings: CODEC2, units: CODEC2_UNITS, name };
}

/** What a client is told about how it speaks, and what it says of itself in an offer or an answer. */
import type { TierChoice } from "../../base/tier.ts";
import type { CodecEngine } from "../codec.ts";
import type { NoiseRemover } from "../silence/noise-remover.ts";
import { CODEC_WORDS } from "./coding.ts";

export type VoiceOptions = {
  readonly tier: TierChoice;
  /** The scheme of forward error correction follows the link too, whatever it was to begin with. */
  readonly adaptsFec: boolean;
  /** It sends nothing but the noise's level while nobody speaks, to peers that understand (RFC 7587's `usedtx`); absent: it always sends. */
  readonly dtx?: boolean | undefined;
  /** Noise is removed from what the microphone hears before anything else looks at it; absent: it is not. */
  readonly denoise?: boolean | undefined;
  /** What removes it; absent: nothing does. */
  readonly noiseRemover?: NoiseRemover | undefined;
  /** Absent: Opus takes its tier. */
  readonly codec2?: CodecEngine | undefined;
  /** Why it is absent, for the log. */
  readonly noCodec2?: string | undefined;
};

/** The best tier whatever happens. */
export const DEFAULT_VOICE: VoiceOptions = { tier: "good", adaptsFec: false };

/** Whether it wants to hear how its packets fare. */
export const adapts = ({ tier, adaptsFec }: VoiceOptions): boolean => tier === "adaptive" || adaptsFec;

/** The words of an offer or an answer. */
export function codecWords(voice: VoiceOptions): { readonly codecs: readonly string[] } {
  const codecs: string[] = [CODEC_WORDS.long, CODEC_WORDS.comfort];
  if (voice.codec2 !== undefined) codecs.push(CODEC_WORDS.codec2);
  if (adapts(voice)) codecs.push(CODEC_WORDS.report);
  return { codecs };
}

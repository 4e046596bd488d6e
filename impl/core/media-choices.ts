/** What a client may be told about its media, and what it does when it is told nothing. */
import { DEFAULT_JITTER_BUFFER, type JitterBufferName } from "../base/jitter-buffer-name.ts";
import { DEFAULT_FEC, type FecOptions } from "./media-stream.ts";
import { DEFAULT_VOICE, type VoiceOptions } from "./voice/options.ts";

export type MediaChoices = {
  /** DEFAULT_JITTER_BUFFER unless told. */
  readonly jitterBuffer?: JitterBufferName;
  /** DEFAULT_FEC unless told. */
  readonly fec?: FecOptions;
  /** DEFAULT_VOICE unless told. */
  readonly voice?: VoiceOptions;
};

export const withDefaults = ({ jitterBuffer, fec, voice }: MediaChoices): Required<MediaChoices> => ({
  jitterBuffer: jitterBuffer ?? DEFAULT_JITTER_BUFFER,
  fec: fec ?? DEFAULT_FEC,
  voice: voice ?? DEFAULT_VOICE,
});

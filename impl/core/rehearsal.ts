/**
 * A call with itself before the first one. The codec is WebAssembly and the rest JavaScript, both of which run slowly until the engine has seen them work
 * and made faster code of them, beside the program and for tens of milliseconds. Without a rehearsal that falls into the first second of a call:
 * frames leave 10 to 60 ms late, and the peer's jitter buffer takes that for the network's jitter and stays deep for seconds.
 */
import { Stream } from "../base/random.ts";
import { Instant } from "../base/units.ts";
import { FRAME_MICROS, FRAME_SAMPLES, SAMPLE_RATE } from "./codec.ts";
import { capabilities, type MediaOptions, MediaStream } from "./media-stream.ts";
import { codecWords } from "./voice/options.ts";

/** What a call of this party will be made of; the codec lends one coder for each tier and gets them back. */
export type Rehearsed = Pick<MediaOptions, "crypto" | "codec" | "settings" | "jitterBuffer" | "fec" | "voice">;

/** chosen: measured with V8 13.6, coder and jitter buffer are as fast after 60 frames as they will ever be; three seconds take 0.2 s. */
const FRAMES = 150;
/** Packets wait for this many frames, one after the other: enough jitter for the buffer to stretch, to shorten and to conceal. */
const LATENESS: readonly number[] = [0, 0, 1, 0, 3, 2, 1, 0, 0, 6, 5, 4, 3, 2, 1, 0];
/** A low voice's fundamental, Hz, and its length and that of noise and of silence, frames. */
const PITCH = 120;
const TURN = 5;
const AMPLITUDE = 8_000;

/** Speaks three seconds to itself, at once and whatever the clock says, and forgets them. Says nothing to any log. */
export function rehearse(rehearsed: Rehearsed): void {
  const key = rehearsed.crypto.derive(new Uint8Array(32), new Uint8Array(0), new Uint8Array(0), 32);
  const stream = new MediaStream({
    ...rehearsed,
    call: "rehearsal",
    keys: { send: key, receive: key, sendId: "", receiveId: "" },
    peerFec: capabilities(rehearsed.fec).fec,
    peerSends: capabilities(rehearsed.fec).sends,
    peerCodecs: codecWords(rehearsed.voice).codecs,
    say: () => {},
  });
  const voice = voiceLike();
  const underway: Uint8Array[][] = Array.from({ length: FRAMES + Math.max(...LATENESS) }, () => []);
  for (let tick = 0; tick < FRAMES; tick++) {
    const now = Instant(tick * FRAME_MICROS);
    underway[tick + (LATENESS[tick % LATENESS.length] ?? 0)]?.push(...stream.capture(now, voice(tick), 0));
    for (const packet of underway[tick] ?? []) stream.receive(now, packet);
    stream.playout(now);
  }
  stream.end();
}

/** Voiced, unvoiced and silent in turn, as speech is: coders take different ways with each. */
function voiceLike(): (tick: number) => Int16Array {
  const noise = new Stream(0, "rehearsal");
  const pcm = new Int16Array(FRAME_SAMPLES);
  const sample = (turn: number, at: number): number => {
    if (turn === 2) return 0;
    return turn === 1 ? AMPLITUDE * (noise.nextUnit() - 0.5) : AMPLITUDE * (((at * PITCH) / SAMPLE_RATE) % 1) - AMPLITUDE / 2;
  };
  return (tick) => {
    const turn = Math.floor(tick / TURN) % 3;
    for (let i = 0; i < FRAME_SAMPLES; i++) pcm[i] = sample(turn, tick * FRAME_SAMPLES + i);
    return pcm;
  };
}

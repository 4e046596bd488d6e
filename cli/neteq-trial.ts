/** The lines of `midcall bench neteq`: which links, how the sender protects its voice, and what is read of a listener. */
import { FRAME_MICROS } from "../impl/core/codec.ts";
import { CONDITIONS, type Condition, impaired } from "./jitter-conditions.ts";
import type { InboundAudio } from "./neteq-page.ts";

/** As in `bench jitter`. */
export const SETTLING = 4_000_000;
export const MEASURED = 30_000_000;

/** How the sender protects its voice. `red`: earlier frames in each packet. */
export type Mode = { readonly name: string; readonly lbrr: boolean; readonly red: number };
export const MODES: readonly Mode[] = [
  { name: "no FEC", lbrr: false, red: 0 },
  { name: "LBRR", lbrr: true, red: 0 },
  { name: "RED-1", lbrr: false, red: 1 },
  { name: "RED-2", lbrr: false, red: 2 },
];

/** Concealed percent, mean delay of the jitter buffer in milliseconds. */
export type Listened = {
  readonly concealed: number;
  /** Of speech that was stretched, which may stand in for what would be concealed. */
  readonly stretched: number;
  readonly delayMs: number;
};

/** The links that are compared: those of which something must be reached. */
export const LINKS: readonly Pick<Condition, "name" | "delays">[] = [
  { name: "loss 10 %", delays: impaired({ loss: 0.1 }) },
  { name: "loss 20 %", delays: impaired({ loss: 0.2 }) },
  { name: "loss 30 %", delays: impaired({ loss: 0.3 }) },
  { name: "loss 50 %", delays: impaired({ loss: 0.5 }) },
  { name: "loss 20 % in fours", delays: impaired({ loss: 0.2, burst: 4 }) },
  ...CONDITIONS.filter(({ name }) => name === "jitter 20 ms" || name === "jitter 50 ms"),
];

export const listened = (after: InboundAudio, before: InboundAudio): Listened => ({
  ...sharesOf(after, before),
  delayMs:
    (1_000 * (after.jitterBufferDelay - before.jitterBufferDelay)) /
    (after.jitterBufferEmittedCount - before.jitterBufferEmittedCount),
});

function sharesOf(after: InboundAudio, before: InboundAudio): Omit<Listened, "delayMs"> {
  const share = (count: "concealedSamples" | "insertedSamplesForDeceleration"): number =>
    (100 * (after[count] - before[count])) / (after.totalSamplesReceived - before.totalSamplesReceived);
  return { concealed: share("concealedSamples"), stretched: share("insertedSamplesForDeceleration") };
}

/** One line: `measured` microseconds of speech (after 4 s to settle) over `delays`. `phase`: when our loudspeaker asks, microseconds after a packet was sent, 0..20 ms. */
export type Trial = {
  readonly mode: Mode;
  readonly pcm: Int16Array;
  readonly delays: Float64Array;
  readonly measured: number;
  readonly phase: number;
};

/**
 * Two clocks meet anywhere, and what they do moves our delay by up to a tick, so every seed has a phase of its own. chosen: steps of the golden ratio, which are spread evenly
 * however many there are.
 */
export const phaseOf = (seed: number): number => Math.floor((((seed * (Math.sqrt(5) - 1)) / 2) % 1) * FRAME_MICROS);

/** A link, a way of protection and a seed. */
export type Line = { readonly link: (typeof LINKS)[number]; readonly mode: Mode; readonly seed: number };

/** Every one of `links` with every one of `modes`, once for each of so many seeds. */
export const linesOf = (links: readonly Line["link"][], modes: readonly Mode[], seeds: number): readonly Line[] =>
  modes.flatMap((mode) => links.flatMap((link) => Array.from({ length: seeds }, (_, i) => ({ link, mode, seed: i + 1 }))));

export const trialOf = ({ link, mode, seed }: Line, pcm: Int16Array, measured: number = MEASURED): Trial => ({
  ...{ mode, pcm, measured, phase: phaseOf(seed) },
  delays: link.delays(seed, (SETTLING + measured) / FRAME_MICROS),
});

/**
 * The lanes of a timeline as rows of characters, for pages that show no drawings (a GitHub step summary, Markdown in a terminal): each character is a slice of the run,
 * and says the worst of what filled a quarter of it and more, or else what filled most of it.
 */
import { inMs } from "./finding.ts";
import type { Evidence } from "./measure.ts";
import { stretchesOf } from "./playout.ts";
import type { Bar, Timeline, Tone } from "./timeline.ts";

/** chosen: what stands in a table beside a name without wrapping on GitHub. */
const SLICES = 60;
/** Of a slice, what a tone has to fill to be seen beside a better one. */
const SEEN = 0.25;

/** Tones of the lanes that are shown, the worst first. */
const GLYPHS: readonly (readonly [tone: Tone, glyph: string, words: string])[] = [
  ["wrong", "×", "down"],
  ["silence", "_", "silence"],
  ["waiting", "~", "under way"],
  ["concealed", "░", "concealed"],
  ["recovered", "▒", "recovered"],
  ["comfort", "·", "comfort noise"],
  ["relay", "r", "by the relay"],
  ["direct", "d", "direct"],
  ["source", "█", "voice"],
  ["fine", "=", "well"],
  ["off", ".", "off"],
];

export type Strip = { readonly name: string; readonly glyphs: string };

/** Faults first, then the lanes that have a state all along; single messages are left out. */
export function stripsOf({ playouts }: Evidence, { end, bands, lanes }: Timeline): readonly Strip[] {
  // Frame by frame: the lane's own bars are for eyes, with heights.
  const heard = new Map(
    playouts.map(({ party, slots }) => [party, stretchesOf(slots).map(({ kind, from, to }) => ({ tone: kind, from, to }))]),
  );
  const faults = slices(end).map(([from, to]) => bands.some((band) => band.from < to && Math.max(band.to, band.from + 1) > from));
  return [
    ...(bands.length === 0 ? [] : [{ name: "faults", glyphs: faults.map((isStruck) => (isStruck ? "!" : " ")).join("") }]),
    ...lanes
      .filter((lane) => !lane.bars.some(({ tone }) => tone === "sent" || tone === "received"))
      .map(({ party, name, bars }) => {
        const pieces = name.startsWith("hears") ? (heard.get(party) ?? []) : bars;
        return {
          name: `${party} ${name}`,
          glyphs: slices(end)
            .map((slice) => glyph(pieces, slice))
            .join(""),
        };
      }),
  ];
}

/** What the characters of `strips` stand for, and how long a slice of a run that ends at `end` (microseconds) is. */
export function stripLegend(strips: readonly Strip[], end: number): string {
  const used = new Set(strips.flatMap(({ glyphs }) => [...glyphs]));
  const words = [["", "!", "a fault lasts"] as const, ...GLYPHS].filter(([, one]) => used.has(one));
  return `One character is ${inMs(end / SLICES / 1_000)}. ${words.map(([, one, means]) => `${one} ${means}`).join(", ")}.`;
}

const slices = (end: number): (readonly [from: number, to: number])[] =>
  Array.from({ length: SLICES }, (_, i) => [(end * i) / SLICES, (end * (i + 1)) / SLICES] as const);

function glyph(pieces: readonly Pick<Bar, "tone" | "from" | "to">[], [from, to]: readonly [number, number]): string {
  const filled = new Map<Tone, number>();
  for (const piece of pieces) {
    const share = Math.min(piece.to, to) - Math.max(piece.from, from);
    if (share > 0) filled.set(piece.tone, (filled.get(piece.tone) ?? 0) + share);
  }
  const seen = GLYPHS.find(([tone]) => (filled.get(tone) ?? 0) >= (to - from) * SEEN);
  const most = [...filled].sort((a, b) => b[1] - a[1])[0]?.[0];
  return (seen ?? GLYPHS.find(([tone]) => tone === most))?.[1] ?? " ";
}

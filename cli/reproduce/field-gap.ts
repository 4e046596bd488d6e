/**
 * The gaps of a recording: stretches in which the listener did not hear the peer. They are taken from the best thing the recording has: what was
 * heard, else when frames arrived, else its figures.
 */
import type { FieldEvent } from "./field-event.ts";

/** `from`, `to`: microseconds on the recording's clock. */
export type Span = { readonly from: number; readonly to: number };

/** What gaps are read from, the best first. */
export type Measure = "sound" | "frame" | "sample";
const MEASURES: readonly Measure[] = ["sound", "frame", "sample"];

/** Frames of sound between two gaps that do not part them. chosen: as much as recovers words; a scatter of frames in an outage is still one outage. */
const RELIEF = 100_000;
/** A shorter gap is what random loss does, and is left to the link's model. chosen: five frames. */
export const LEAST_GAP = 100_000;
/** Loss from which on a sample without its unheard time counts as nothing heard. */
const NOTHING = 0.9;

export type GapFinder = {
  take(event: FieldEvent): void;
  /** The gaps so far that are over, and the one that is not. */
  gaps(): readonly Span[];
};

/** Finds gaps by one measure; `longest` keeps no more than that one (for recordings of any length). */
export function gapFinder(measure: Measure, keep: "all" | "longest"): GapFinder {
  let found: Span[] = [];
  let open: { from: number; to: number } | undefined;
  let lastFrame: number | undefined;
  const close = (): void => {
    if (open !== undefined && open.to - open.from >= LEAST_GAP) {
      const longest = found[0];
      if (keep === "all") found.push(open);
      else if (longest === undefined || open.to - open.from > longest.to - longest.from) found = [open];
    }
    open = undefined;
  };
  const unheard = (from: number, to: number): void => {
    if (open !== undefined && from - open.to < RELIEF) open.to = Math.max(open.to, to);
    else {
      close();
      open = { from, to };
    }
  };
  return {
    take(event) {
      if (event.what !== measure) return;
      if (event.what === "sound") {
        if (!event.isHeard) unheard(event.t, event.until);
      } else if (event.what === "frame") {
        if (lastFrame !== undefined && event.t - lastFrame >= LEAST_GAP) unheard(lastFrame, event.t);
        lastFrame = lastFrame === undefined ? event.t : Math.max(lastFrame, event.t);
      } else if (event.what === "sample") {
        const length = event.until - event.t;
        const missing = event.unheard ?? ((event.loss ?? 0) >= NOTHING ? length : 0);
        // Where in the sample the silence lies is not known: next to the silence before it, else at the sample's end.
        const goesOn = open !== undefined && event.t - open.to < RELIEF;
        if (missing === 0 || (!goesOn && missing < LEAST_GAP)) return close();
        if (goesOn && open !== undefined) open.to = event.t;
        const from = goesOn ? event.t : event.until - missing;
        unheard(from, from + missing);
        if (goesOn && missing < length) close();
      }
    },
    gaps: () => (open !== undefined && open.to - open.from >= LEAST_GAP ? [...found, { ...open }] : found),
  };
}

/** The best measure that a recording has. */
export const bestMeasure = (has: ReadonlySet<string>): Measure | undefined => MEASURES.find((measure) => has.has(measure));

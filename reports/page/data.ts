/** What report.html carries for its script: the contract between page-data.ts, which writes it, and the modules of this folder, which read it in a browser. */

/** Times are microseconds from the start of the run. `tone` names a colour of the page. */
export type PageData = {
  readonly end: number;
  readonly faults: readonly { readonly from: number; readonly to: number; readonly label: string }[];
  readonly flags: readonly { readonly at: number; readonly label: string }[];
  readonly lanes: readonly PageLane[];
  readonly curves: readonly {
    readonly name: string;
    readonly unit: string;
    readonly curves: readonly {
      readonly party: string;
      readonly name: string;
      readonly isSoft?: true;
      readonly points: readonly (readonly [at: number, value: number | null])[];
    }[];
  }[];
  readonly ladder: readonly {
    readonly at: number;
    readonly party: string;
    readonly action: "sent" | "delivered" | "applied" | "refused";
    readonly generation: number;
  }[];
  /** Order of `t`. `loud`: 1 where something went wrong, was done to the run, or changed. */
  readonly log: readonly (readonly [t: number, who: string, words: string, loud: 0 | 1])[];
  readonly leftOut: number;
};

export type PageLane = {
  readonly party: string;
  readonly name: string;
  /** Of a strip of audio: no titles, heights by tone. */
  readonly isAudio: boolean;
  readonly bars: readonly PageBar[];
  /** Of a strip of audio: loudness of what was heard, 0..99 for each of equal slices from the run's start. */
  readonly wave?: { readonly sliceMs: number; readonly peaks: readonly number[]; readonly href: string };
};

/** `title` and `label` are empty where there is nothing to say. */
export type PageBar = readonly [
  from: number,
  to: number,
  tone: string,
  title: string,
  label: string,
  bottom: number,
  top: number,
];

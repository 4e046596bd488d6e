/** What the live page knows before its first frame. */
export type Start = {
  readonly scenario: string;
  readonly lab: string;
  /** Microseconds. */
  readonly duration: number;
  /** Virtual time, shown at a speed of choice. */
  readonly isPaced: boolean;
  readonly places: readonly {
    readonly id: string;
    readonly kind: string;
    readonly name: string;
    readonly words: string;
    readonly x: number;
    readonly y: number;
  }[];
  readonly wires: readonly { readonly from: string; readonly to: string; readonly words: string }[];
};

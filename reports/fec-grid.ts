/**
 * What `midcall bench fec --grid` found, as text and CSV, and what follows from it: which scheme, for this link, at this budget of wire rate and added delay. The figures themselves are
 * made in cli/fec-grid.ts; here they are only compared and told.
 */

/** One scheme on one link. */
export type GridFigure = {
  readonly link: string;
  readonly scheme: string;
  readonly wireKbps: number;
  /** Share of frames that are not there in time, 0..1, for each of ADDED; means over the seeds, and the least and most of any. */
  readonly missing: readonly number[];
  readonly range: readonly (readonly [number, number])[];
};

/** Added delay that is asked about, milliseconds. */
export const ADDED: readonly number[] = [60, 100, 200, 400];
/** The line of a link that says what no code of that wire rate leaves less than. */
export const BOUND = "any code";

/** What a choice may cost: a hundredth more wire rate than `scheme` has (null: as much as it likes), and `added` milliseconds. */
export type GridBudget = { readonly scheme: string | null; readonly added: number };
/** What a recommendation may cost unless told: RED-1's wire rate, and 200 ms, beyond which G.107 counts delay against a call. */
export const BUDGET: GridBudget & { readonly scheme: string } = { scheme: "red 1", added: 200 };
const MORE = 1.01;
/** Wire rates a choice is made for: the plain stream's, that of one copy of every frame, of two copies, and any. */
export const WIRES: readonly (string | null)[] = ["none", "red 1", "red 2", null];

/** Share missing at `added` milliseconds. */
export const missingAt = (one: GridFigure, added: number): number => one.missing[ADDED.indexOf(added)] ?? 1;

/** Of the schemes within the budget the one with least missing; of those within a hundredth of a point of it, the one that is least on the wire. */
export function gridRecommendation(rows: readonly GridFigure[], { scheme, added }: GridBudget = BUDGET): GridFigure | undefined {
  const rate = rows.find((one) => one.scheme === scheme)?.wireKbps ?? Number.POSITIVE_INFINITY;
  const within = rows.filter((one) => one.scheme !== BOUND && one.wireKbps <= rate * MORE);
  const least = within.reduce((best, one) => Math.min(best, missingAt(one, added)), 1);
  return within.filter((one) => missingAt(one, added) <= least + 1e-4).toSorted((a, b) => a.wireKbps - b.wireKbps)[0];
}

/** Two digits after the point. */
export const percent = (share: number): string => (100 * share).toFixed(2);

const HEAD: readonly string[] = [
  `missing %: frames that are not there ${ADDED.join(", ")} ms after the earliest they could be. wire: kbit/s from IPv4 up.`,
  `recommended: least missing at ${BUDGET.added} ms on no more wire than ${BUDGET.scheme} has.`,
  `${BOUND}: what is missing whatever is computed from what, with a packet every 20 ms and as much wire as ${BUDGET.scheme}, and who knows the losses beforehand.`,
  "lbrr: with the codec's own redundancy, which gives frames back more coarsely.",
];

/** One recommended line a link, and every scheme under it. */
export function gridTable(figures: readonly GridFigure[]): string {
  const lines = [...HEAD];
  for (const [link, rows] of Map.groupBy(figures, (one) => one.link)) {
    const best = gridRecommendation(rows);
    lines.push(
      "",
      `${link}: ${best === undefined ? "none" : `${best.scheme}, ${percent(missingAt(best, BUDGET.added))} % missing, ${best.wireKbps.toFixed(1)} kbit/s`}`,
      ...rows.map(
        (one) =>
          `  ${one.scheme.padEnd(24)}${one.wireKbps.toFixed(1).padStart(7)}${one.missing.map((share) => percent(share).padStart(8)).join("")}`,
      ),
    );
  }
  return `${lines.join("\n")}\n`;
}

const NAME = 34;
const CELL = 30;

/** What is recommended for one link, at each added delay, as one line. */
export const recommendedLine = (link: string, rows: readonly GridFigure[], wire: string | null): string =>
  `${link.padEnd(NAME)}${ADDED.map((added) => {
    const best = gridRecommendation(rows, { scheme: wire, added });
    return best === undefined ? "none" : `${best.scheme} ${percent(missingAt(best, added))}`;
  })
    .map((cell) => cell.padEnd(CELL))
    .join("")}`.trimEnd();

/** For each of WIRES a block with one line a link: the scheme recommended at each added delay, and what is missing with it in percent. */
export function recommendedTable(figures: readonly GridFigure[]): string {
  const links = [...Map.groupBy(figures, (one) => one.link)];
  return WIRES.map((wire) =>
    [
      `wire rate ${wire === null ? "of no limit" : `no higher than that of ${wire}`}: recommended, and % missing with it, by added delay`,
      `${"".padEnd(NAME)}${ADDED.map((added) => `${added} ms`.padEnd(CELL)).join("")}`.trimEnd(),
      ...links.map(([link, rows]) => recommendedLine(link, rows, wire)),
      "",
    ].join("\n"),
  ).join("\n");
}

/** RFC 4180, one line a link, scheme and added delay. */
export const gridCsv = (figures: readonly GridFigure[]): string =>
  [
    "link,scheme,wire_kbps,added_ms,missing_ratio,least,most",
    ...figures.flatMap((one) =>
      ADDED.map((added, k) =>
        [
          quoted(one.link),
          quoted(one.scheme),
          one.wireKbps.toFixed(3),
          added,
          ...[one.missing[k], ...(one.range[k] ?? [])].map((share) => (share ?? 0).toFixed(6)),
        ].join(","),
      ),
    ),
    "",
  ].join("\r\n");

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

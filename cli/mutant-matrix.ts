/** What became of the mutations, as text: the table of a terminal, and the matrix kept under reports/golden. */
import type { Outcome } from "./mutants.ts";

const columns = (heads: readonly string[], rows: readonly (readonly string[])[]): readonly string[] => {
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)));
  return [heads, ...rows].map((cells) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd(),
  );
};

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;

/** Median and longest time of a search that caught something, in milliseconds, by the clock or of a processor; undefined when nothing was caught. */
export function searchTimes(
  outcomes: readonly Outcome[],
  by: "ms" | "processorMs" = "ms",
): { readonly median: number; readonly worst: number } | undefined {
  const times = outcomes.flatMap(({ caught }) => (caught === undefined ? [] : [caught[by]])).toSorted((a, b) => a - b);
  const [median, worst] = [times[Math.floor((times.length - 1) / 2)], times.at(-1)];
  return median === undefined || worst === undefined ? undefined : { median, worst };
}

/** For people: who caught each, how long the search took, and what survives. */
export function table(outcomes: readonly Outcome[]): string[] {
  const rows = outcomes.map(({ mutation, caught, runs }) =>
    caught === undefined
      ? [mutation.name, "SURVIVES", `${runs} runs`, ""]
      : [mutation.name, caught.oracle, caught.case, `${seconds(caught.ms)}, run ${caught.runs}`],
  );
  const survivors = outcomes.filter((one) => one.caught === undefined);
  const [times, worked] = [searchTimes(outcomes), searchTimes(outcomes, "processorMs")];
  return [
    ...columns(["mutation", "caught by", "of case", "after"], rows),
    "",
    `${outcomes.length - survivors.length} of ${outcomes.length} caught`,
    ...(times === undefined ? [] : [`search: median ${seconds(times.median)}, longest ${seconds(times.worst)}`]),
    ...(worked === undefined ? [] : [`of a processor: median ${seconds(worked.median)}, longest ${seconds(worked.worst)}`]),
    ...survivors.map(({ mutation }) => `survives: ${mutation.name} (${mutation.file}): ${mutation.imitates}`),
  ];
}

/** One line while a search goes on. */
export const inWords = ({ mutation: { name }, caught, runs }: Outcome): string =>
  caught === undefined
    ? `${name} survives ${runs} runs`
    : `${name} caught by ${caught.oracle} of ${caught.case}, ${seconds(caught.ms)}, run ${caught.runs}`;

/**
 * One line of a matrix. `seconds`: how long the search took where it was made, `processor`: and what it had of a processor, which does not depend on what else
 * the machine did; both stay when the line is confirmed later, and are empty when nobody catches it.
 */
export type Row = {
  readonly mutation: string;
  readonly file: string;
  readonly oracle: string;
  readonly case: string;
  readonly seconds: string;
  readonly processor: string;
  /** Hash of what it was made of (mutation-print.ts); empty when that is not known. */
  readonly of: string;
};

/** The oracle of a row that nobody catches. */
export const SURVIVES = "SURVIVES";

/** The rows of `catalogue`, in its order: those tried now, and for the others those of `before`, as far as there are any. */
export function rowsOf(
  catalogue: readonly { readonly name: string }[],
  outcomes: readonly Outcome[],
  before: readonly Row[] = [],
  of: (outcome: Outcome) => string = () => "",
): readonly Row[] {
  const rows = new Map(before.map((row) => [row.mutation, row]));
  for (const outcome of outcomes) {
    const { caught } = outcome;
    const { name, file } = outcome.mutation;
    const known = rows.get(name);
    // The case of before, tried first, tells nothing of how long a search takes.
    const isConfirmed = caught !== undefined && caught.runs === 1 && known?.case === caught.case && known.seconds !== "";
    rows.set(name, {
      mutation: name,
      file,
      oracle: caught?.oracle ?? SURVIVES,
      case: caught?.case ?? "",
      seconds: caught === undefined ? "" : isConfirmed ? known.seconds : (caught.ms / 1_000).toFixed(1),
      processor: caught === undefined ? "" : isConfirmed ? known.processor : (caught.processorMs / 1_000).toFixed(1),
      of: of(outcome),
    });
  }
  return catalogue.flatMap(({ name }) => rows.get(name) ?? []);
}

const COLUMNS = ["mutation", "module", "oracle", "case", "seconds", "processor", "of"] as const;
/** Stands for what is not known. */
const NONE = "-";

/** The matrix as text. */
export const matrix = (rows: readonly Row[]): string =>
  `${columns(
    COLUMNS,
    rows.map(({ file, ...row }) => COLUMNS.map((name) => (name === "module" ? file : row[name]) || NONE)),
  ).join("\n")}\n`;

/** Reads what `matrix` wrote, by the names of its columns: one that is missing is not known. */
export function readMatrix(text: string): readonly Row[] {
  const [heads = [], ...lines] = text
    .trimEnd()
    .split("\n")
    .map((line) => line.split(/ {2,}/));
  return lines.map((cells) => {
    const cell = (name: (typeof COLUMNS)[number]): string => {
      const said = cells[heads.indexOf(name)] ?? "";
      return said === NONE ? "" : said;
    };
    return {
      ...{ mutation: cell("mutation"), file: cell("module"), oracle: cell("oracle"), case: cell("case") },
      ...{ seconds: cell("seconds"), processor: cell("processor"), of: cell("of") },
    };
  });
}

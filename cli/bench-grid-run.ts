/** `midcall bench fec --grid` and `bench jitter` as far as they are told as text, CSV and pages: what is measured, and every form of it. */
import { availableParallelism } from "node:os";
import { ADDED, type GridFigure, gridCsv, gridRecommendation, gridTable, recommendedTable, WIRES } from "../reports/fec-grid.ts";
import { gridPage } from "../reports/fec-grid-page.ts";
import { type JitterFigure, jitterCsv, jitterPage, jitterRecommendation } from "../reports/jitter-page.ts";
import { gridInThreads } from "./bench-grid.ts";
import { benchJitter, jitterTable } from "./bench-jitter.ts";
import { usage } from "./exit.ts";
import { GRID } from "./fec-grid.ts";
import type { Terminal } from "./terminal.ts";

/** What `bench` does with it: `measured` as JSON, `files` and `drawings` by name, `lines` for a terminal. */
export type GridReport = {
  readonly measured: object;
  csv(): string;
  written(): { readonly files: ReadonlyMap<string, string>; readonly drawings: ReadonlyMap<string, string> };
  lines(): readonly string[];
};

export type GridOptions = { readonly grid?: true; readonly link?: string; readonly workers?: number };

const linesOf = (text: string): readonly string[] => text.trimEnd().split("\n");

/** Links whose names hold `words`; all without. A usage error when there are none. */
export function gridLinks(words = ""): readonly string[] {
  const names = GRID.map(({ name }) => name).filter((name) => name.includes(words));
  if (names.length === 0)
    throw usage(
      `--link ${words}: no link of the grid is called so`,
      `want words of a name like ${GRID[30]?.name}, outage of 250 ms every 5 s or G.1050 D`,
    );
  return names;
}

async function wholeGrid<T>(bench: "fec" | "jitter", { link, workers }: GridOptions, terminal: Terminal): Promise<readonly T[]> {
  const links = gridLinks(link);
  const began = performance.now();
  terminal.progress({ stage: `${links.length} links` });
  const found = await gridInThreads<T>({ bench }, links, {
    threads: workers ?? availableParallelism(),
    signal: terminal.interrupted,
    done: (name, of) => {
      const share = of / links.length;
      // Elsewhere than on a TTY a stage is a line: ten of them are enough.
      if (!terminal.isLive) return terminal.progress({ stage: `${10 * Math.floor(10 * share)} % of ${links.length} links` });
      const left = ((performance.now() - began) / of) * (links.length - of);
      terminal.progress({ stage: `${links.length} links`, share, detail: `${name}; ${Math.ceil(left / 1_000)} s left` });
    },
  });
  terminal.quiet();
  return found;
}

/** Every scheme on every link of the grid. */
export async function fecGridBench(options: GridOptions, terminal: Terminal): Promise<GridReport> {
  const figures = await wholeGrid<GridFigure>("fec", options, terminal);
  const recommended = [...Map.groupBy(figures, (one) => one.link)].map(([link, rows]) => ({
    link,
    scheme: gridRecommendation(rows)?.scheme ?? null,
    budgets: WIRES.flatMap((wire) =>
      ADDED.map((added) => ({
        wireOf: wire,
        addedMs: added,
        scheme: gridRecommendation(rows, { scheme: wire, added })?.scheme ?? null,
      })),
    ),
  }));
  return {
    measured: { figures, recommended },
    csv: () => gridCsv(figures),
    written: () => {
      const { html, drawings } = gridPage(figures);
      const texts = [
        ["fec.txt", gridTable(figures)],
        ["fec-recommended.txt", recommendedTable(figures)],
        ["fec.csv", gridCsv(figures)],
        ["index.html", html],
      ] as const;
      return { files: new Map(texts), drawings };
    },
    lines: () => linesOf(gridTable(figures)),
  };
}

/** Every jitter buffer under the conditions of the comparison with NetEq, or with `grid` on every link of the grid. */
export async function jitterBench(options: GridOptions, terminal: Terminal): Promise<GridReport> {
  const figures =
    options.grid === true || options.link !== undefined
      ? await wholeGrid<JitterFigure>("jitter", options, terminal)
      : await benchJitter((name) => terminal.progress({ stage: name }));
  terminal.quiet();
  const recommended = [...Map.groupBy(figures, (one) => one.condition)].map(([condition, rows]) => ({
    condition,
    buffer: jitterRecommendation(rows)?.buffer ?? null,
  }));
  return {
    measured: { figures, recommended },
    csv: () => jitterCsv(figures),
    written: () => {
      const { html, drawings } = jitterPage(figures);
      const texts = [
        ["jitter.txt", `${jitterTable(figures).join("\n")}\n`],
        ["jitter.csv", jitterCsv(figures)],
        ["index.html", html],
      ] as const;
      return { files: new Map(texts), drawings };
    },
    lines: () => jitterTable(figures),
  };
}

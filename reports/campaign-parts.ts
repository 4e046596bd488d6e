/** Pieces that the pages of campaigns have in common: tables that can be sorted, commands to copy, the bar of verdicts. */
import { escaped } from "./escape.ts";
import { SYMBOL } from "./html-parts.ts";
import type { Verdict } from "./result.ts";

/** A table whose heads sort it. The first cell of a row names it. */
export type SortedTable = {
  readonly id: string;
  readonly heads: readonly string[];
  readonly rows: readonly {
    readonly tone: Verdict;
    /** `html` is put in as it is. `value`: what a cell is sorted by, undefined for none; a cell without the field is sorted by its text. */
    readonly cells: readonly { readonly html: string; readonly value?: number | undefined; readonly isWide?: boolean }[];
  }[];
};

/** The table; heads are buttons, which keyboards reach. */
export function sortableTable({ id, heads, rows }: SortedTable): string {
  const head = heads.map((one) => `<th scope="col"><button type="button">${escaped(one)}</button></th>`).join("");
  const body = rows.map(({ tone, cells }) => {
    const shown = cells.map((cell, i) => {
      const sorts = "value" in cell ? ` data-v="${cell.value ?? ""}"` : "";
      const wide = cell.isWide === true ? ' class="wide"' : "";
      return i === 0
        ? `<th scope="row"${sorts}>${cell.html}</th>`
        : `<td${sorts}${wide} data-head="${escaped(heads[i] ?? "")}">${cell.html}</td>`;
    });
    return `<tr class="${tone}">${shown.join("")}</tr>`;
  });
  return `<div class="scroll"><table class="sortable" id="${id}"><thead><tr>${head}</tr></thead><tbody>${body.join("\n")}</tbody></table></div>`;
}

/** A command with the button that copies it, which only a script shows. */
export const again = (command: string): string =>
  `<code>${escaped(command)}</code> <button type="button" class="copy" hidden>Copy</button>`;

/** That what is here is not all there was to be; empty for what came to its end. */
export const interruption = (done: number, interrupted: { readonly of: number } | undefined): string =>
  interrupted === undefined
    ? ""
    : `<p class="cause"><strong>Interrupted</strong> after ${done} of ${interrupted.of}; of the others nothing is known.</p>\n`;

/** A field that leaves only the rows of table `id` that contain what is typed. */
export const filterOf = (id: string, says: string): string =>
  `<p class="plot-tools"><input type="search" data-filters="${id}" placeholder="${escaped(says)}…" aria-label="${escaped(says)}"></p>`;

/** How many of each verdict, in words and as shares of a bar. `words`: what verdicts are called here, where not by their names. */
export function verdictBar(
  counts: Readonly<Partial<Record<Verdict, number>>>,
  all: number,
  words: Readonly<Partial<Record<Verdict, string>>> = {},
): string {
  const own = Object.entries(counts) as [Verdict, number][];
  const told = own.map(
    ([verdict, n]) =>
      `<span class="word ${verdict}"><span aria-hidden="true">${SYMBOL[verdict]}</span> ${n} ${words[verdict] ?? verdict}</span>`,
  );
  const parts = own.map(([verdict, n]) => `<i class="${verdict}" style="flex-grow:${n / all}"></i>`);
  return `<p class="counts">${told.join(" ")}</p><div class="bar" aria-hidden="true">${parts.join("")}</div>`;
}

/** Rules of these pages. */
export const CAMPAIGN_STYLE = `
.counts { font-size: 18px; margin: 8px 0 6px; display: flex; flex-wrap: wrap; gap: 2px 20px; }
.word { color: var(--tone); font-weight: 650; white-space: nowrap; }
.bar { display: flex; height: 10px; border-radius: 3px; overflow: hidden; margin: 0 0 10px; gap: 2px; } .bar i { background: var(--tone); min-width: 4px; flex-basis: 0; }
.reasons { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(540px, 100%), 1fr)); gap: 10px; align-items: start; }
.reason { border-left: 5px solid var(--tone); background: var(--card); border-radius: 4px; padding: 8px 16px 10px; min-width: 0; }
.reason, figcaption, footer { overflow-wrap: anywhere; }
.reason h3 { margin: 0; font-size: 15px; } .reason .says { margin: 4px 0; font-weight: 600; overflow-wrap: anywhere; } .reason p { margin: 3px 0; } .reason ul { margin: 6px 0; padding-left: 20px; }
.part { border: 1px solid var(--grid); border-radius: 9px; padding: 0 8px; font-size: 12px; font-weight: 500; color: var(--soft); margin-left: 6px; }
a { color: var(--source); }
.sortable td, .sortable tbody th { padding-right: 16px; } .sortable thead button { border: 0; background: none; padding: 2px 0; font-weight: 600; font-size: 12px; color: var(--soft); white-space: nowrap; }
.sortable tbody th { overflow-wrap: anywhere; min-width: 12ch; } .sortable td { font-variant-numeric: tabular-nums; } .sortable td.wide { min-width: 24ch; max-width: 52ch; overflow-wrap: anywhere; }
.sortable td code { font-size: 11px; display: inline-block; max-width: 26ch; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; vertical-align: middle; } .sortable .copy { padding: 0 6px; font-size: 11px; }
th[aria-sort="descending"] button::after { content: " ▼"; } th[aria-sort="ascending"] button::after { content: " ▲"; } html:not(.scripted) .plot-tools { display: none; }
.spreads { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(560px, 100%), 1fr)); gap: 8px 28px; } figure { margin: 0; min-width: 0; } figcaption { font-weight: 600; font-size: 13px; margin: 4px 0; }
.spreads .drawing svg { min-width: 480px; max-width: 760px; } .drawing a:hover path { opacity: 1; stroke: var(--ink); }
summary h2 { display: inline; }
@media (max-width: 640px) {
  .sortable thead { display: block; } .sortable thead tr { display: flex; flex-wrap: wrap; gap: 4px; margin: 0 0 6px; } .sortable thead th { border: 0; padding: 0; } .sortable thead button { border: 1px solid var(--grid); padding: 1px 7px; }
  .sortable, .sortable tbody { display: block; } .sortable tbody tr:not([hidden]) { display: block; border-left: 4px solid var(--tone); padding: 4px 0 6px 10px; margin: 0 0 8px; background: var(--card); }
  .sortable tbody td, .sortable tbody th { display: block; border: 0; padding: 1px 0; max-width: none; min-width: 0; } .sortable tbody td:empty { display: none; }
  .sortable td[data-head]::before { content: attr(data-head) ": "; color: var(--soft); font-size: 12px; } .sortable td br { display: none; }
}
@media print { .copy, .plot-tools { display: none !important; } .sortable td.wide { max-width: none; } }
`;

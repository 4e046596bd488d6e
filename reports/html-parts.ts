/** Pieces that the HTML pages have in common. */
import { escaped } from "./escape.ts";
import type { Verdict } from "./result.ts";
import type { Tone } from "./timeline.ts";

/** A sign for each verdict, so that none is told by colour alone. */
export const SYMBOL: Readonly<Record<Verdict, string>> = { held: "✓", broken: "✗", inconclusive: "?", crashed: "!" };

const LEGEND: readonly (readonly [Tone | "fault" | "broken", string])[] = [
  ["source", "source audio"],
  ["recovered", "recovered"],
  ["concealed", "concealed"],
  ["silence", "silent gap"],
  ["comfort", "comfort noise"],
  ["fine", "up"],
  ["waiting", "under way"],
  ["wrong", "down"],
  ["off", "over"],
  ["sent", "message sent"],
  ["received", "message received"],
  ["fault", "fault"],
  ["broken", "limit passed"],
];

/** What the colours of a timeline mean. */
export const legend = (): string =>
  `<ul class="legend" aria-label="Colours">${LEGEND.map(([tone, words]) => `<li><i style="background:var(--${tone})"></i>${words}</li>`).join("")}</ul>`;

/** A table whose first column names the rows; every cell is text and is escaped. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[], name = ""): string {
  const head = heads.map((one) => `<th scope="col">${escaped(one)}</th>`).join("");
  const body = rows.map(
    (row) =>
      `<tr>${row.map((cell, i) => (i === 0 ? `<th scope="row">${escaped(cell)}</th>` : `<td>${escaped(cell)}</td>`)).join("")}</tr>`,
  );
  return `<div class="scroll"><table class="${name}"><thead><tr>${head}</tr></thead><tbody>${body.join("\n")}</tbody></table></div>`;
}

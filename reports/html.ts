/**
 * report.html: one run on one page that needs nothing but a browser. It forbids itself every fetch by a content security policy,
 * carries no script and no font, follows the reader's light or dark preference, and prints.
 */
import type { LogRecord } from "../impl/base/record.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { escaped } from "./escape.ts";
import { type Excerpt, excerptsOf } from "./log-excerpt.ts";
import { measure } from "./measure.ts";
import { STYLE } from "./page-style.ts";
import type { OracleResult, Result, Verdict } from "./result.ts";
import { type Tone, timelineOf } from "./timeline.ts";
import { drawTimeline } from "./timeline-chart.ts";
import {
  CONDITION_HEADS,
  conditionCells,
  howItRan,
  notHeld,
  numberedParties,
  numberRows,
  replayCommand,
  whatRan,
} from "./wording.ts";

/** The whole page. */
export function htmlReport(result: Result, scenario: Scenario, records: readonly LogRecord[]): string {
  const evidence = measure(records, scenario);
  const parties = numberedParties(scenario);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(result.scenario)}: ${result.verdict}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header class="${result.verdict}">
<p class="verdict"><span aria-hidden="true">${SYMBOL[result.verdict]}</span> ${result.verdict}</p>
<h1>${escaped(result.scenario)}</h1>
<p class="cause">${escaped(result.cause)}</p>
<p class="asks">${escaped(scenario.asks)}</p>
<p class="replay"><span>Replay</span> <code>${escaped(replayCommand(result))}</code></p>
</header>
<section aria-labelledby="timeline">
<h2 id="timeline">What happened</h2>
${legend()}
<div class="drawing" role="region" tabindex="0" aria-labelledby="timeline">${drawTimeline(timelineOf(evidence, result.oracles))}</div>
</section>
<section aria-labelledby="oracles">
<h2 id="oracles">Oracles</h2>
${oracleTable(result)}
</section>
<section aria-labelledby="conditions">
<h2 id="conditions">Conditions</h2>
${result.conditions.length === 0 ? "<p>No faults.</p>" : table(CONDITION_HEADS, result.conditions.map(conditionCells))}
</section>
<section aria-labelledby="numbers">
<h2 id="numbers">Numbers</h2>
${table(["", ...parties], numberRows(result, parties), "numbers")}
</section>
<section aria-labelledby="log">
<h2 id="log">Log</h2>
<p>From run.ndjson, without media and counters.</p>
${excerptsOf(records, result.conditions).map(excerptBlock).join("\n")}
</section>
<footer><p>${escaped(howItRan(result))}. ${escaped(whatRan(result))}. Log hash <code>${escaped(result.hash)}</code>.</p></footer>
</main>
</body>
</html>
`;
}

const SYMBOL: Readonly<Record<Verdict, string>> = { held: "✓", broken: "✗", inconclusive: "?", crashed: "!" };

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

const legend = (): string =>
  `<ul class="legend" aria-label="Colours">${LEGEND.map(([tone, words]) => `<li><i style="background:var(--${tone})"></i>${words}</li>`).join("")}</ul>`;

function oracleTable(result: Result): string {
  const bad = notHeld(result);
  const rows = [...bad, ...result.oracles.filter((one) => !bad.includes(one))];
  const cells = (one: OracleResult): string =>
    `<tr class="${one.verdict}"><td><span aria-hidden="true">${SYMBOL[one.verdict]}</span> ${one.verdict}</td><th scope="row">${escaped(one.name)}</th><td>${escaped(one.detail)}</td></tr>`;
  return `<div class="scroll"><table class="oracles"><thead><tr><th scope="col">Verdict</th><th scope="col">Oracle</th><th scope="col">Figures</th></tr></thead><tbody>${rows.map(cells).join("\n")}</tbody></table></div>`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[], name = ""): string {
  const head = heads.map((one) => `<th scope="col">${escaped(one)}</th>`).join("");
  const body = rows.map(
    (row) =>
      `<tr>${row.map((cell, i) => (i === 0 ? `<th scope="row">${escaped(cell)}</th>` : `<td>${escaped(cell)}</td>`)).join("")}</tr>`,
  );
  return `<div class="scroll"><table class="${name}"><thead><tr>${head}</tr></thead><tbody>${body.join("\n")}</tbody></table></div>`;
}

function excerptBlock({ title, lines, leftOut }: Excerpt): string {
  const half = leftOut === 0 ? lines.length : lines.length / 2;
  const row = (line: Excerpt["lines"][number]): string =>
    `<tr${line.isLoud ? ' class="loud"' : ""}><td>${line.at}</td><td>${escaped(line.who)}</td><td>${escaped(line.words)}</td></tr>`;
  const gap = leftOut === 0 ? [] : [`<tr><td colspan="3">${leftOut} lines left out</td></tr>`];
  const rows = [...lines.slice(0, half).map(row), ...gap, ...lines.slice(half).map(row)];
  return `<details><summary>${escaped(title)}</summary><div class="scroll"><table class="log"><tbody>${rows.join("\n")}</tbody></table></div></details>`;
}

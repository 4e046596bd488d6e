/**
 * report.html: the triage report of one run on one page that needs nothing but a browser. It forbids itself every fetch by a content security
 * policy, follows the reader's light or dark preference, and prints. With scripts (PageExtras) its timeline zooms; without, and on paper, it
 * has the same timeline drawn once.
 */
import type { Scenario } from "../scenarios/expanded.ts";
import { escaped } from "./escape.ts";
import { lastHeldSection, type TwinRun, twinSection } from "./html-companions.ts";
import { legend, SYMBOL, table } from "./html-parts.ts";
import { type Excerpt, excerptsOf } from "./log-excerpt.ts";
import type { Evidence } from "./measure.ts";
import { asScriptData, pageData, type Recording } from "./page-data.ts";
import { type PageScript, pageOf } from "./page-shell.ts";
import { carried } from "./path.ts";
import type { OracleResult, Result } from "./result.ts";
import { timelineOf } from "./timeline.ts";
import { drawTimeline } from "./timeline-chart.ts";
import { drawTopology, topologyOf } from "./topology.ts";
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

/** What a page may have besides its run. */
export type PageExtras = {
  readonly scripts?: readonly PageScript[];
  /** What each party heard, by party. */
  readonly recordings?: ReadonlyMap<string, Recording>;
  /** A run of the scenario's twin. */
  readonly twin?: TwinRun;
  /** The newest run of the same scenario that held. */
  readonly lastHeld?: Result;
};

/** The whole page. */
export function htmlReport(
  result: Result,
  scenario: Scenario,
  evidence: Evidence,
  { scripts = [], recordings = new Map(), twin, lastHeld }: PageExtras = {},
): string {
  const parties = numberedParties(scenario);
  const body = `<header class="${result.verdict}">
<p class="verdict"><span aria-hidden="true">${SYMBOL[result.verdict]}</span> ${result.verdict}</p>
<h1>${escaped(result.scenario)}</h1>
${result.culprit === undefined ? "" : `<p class="cause culprit">${escaped(result.culprit.sentence)}</p>\n`}<p class="cause">${escaped(result.cause)}</p>
<p class="asks">${escaped(scenario.asks)}</p>
<p class="replay"><span>Replay</span> <code id="replay">${escaped(replayCommand(result))}</code> <button type="button" id="copy" hidden>Copy</button></p>
</header>
<section aria-labelledby="timeline">
<h2 id="timeline">What happened</h2>
${eventButtons(evidence, result)}
${legend()}
${scripts.length === 0 ? "" : PLOT}
<div class="drawing static" role="region" tabindex="0" aria-labelledby="timeline">${drawTimeline(timelineOf(evidence, result.oracles))}</div>
${recordings.size === 0 ? "" : players(recordings)}
</section>
${scripts.length === 0 ? "" : LOG_WINDOW}
<section aria-labelledby="oracles">
<h2 id="oracles">Oracles</h2>
${oracleTable(result)}
</section>
<section aria-labelledby="topology">
<h2 id="topology">Topology and paths</h2>
<div class="drawing topology" role="region" tabindex="0" aria-labelledby="topology">${drawTopology(topologyOf(scenario, result.measurements.path, carried(evidence.records, result.measurements.path)))}</div>
</section>
<section aria-labelledby="conditions">
<h2 id="conditions">Conditions</h2>
${result.conditions.length === 0 ? "<p>No faults.</p>" : table(CONDITION_HEADS, result.conditions.map(conditionCells))}
</section>
<section aria-labelledby="numbers">
<h2 id="numbers">Numbers</h2>
${table(["", ...parties], numberRows(result, parties), "numbers")}
</section>
${twinSection(scenario, twin)}
${lastHeldSection(result, lastHeld)}
<section class="excerpts" aria-labelledby="log">
<h2 id="log">Log</h2>
<p>From run.ndjson, without media and counters.</p>
${excerptsOf(evidence.records, result.conditions).map(excerptBlock).join("\n")}
</section>
<footer><p>${escaped(howItRan(result))}. ${escaped(whatRan(result))}. Log hash <code>${escaped(result.hash)}</code>.</p></footer>`;
  return pageOf({
    title: `${result.scenario}: ${result.verdict}`,
    body,
    scripts,
    plays: recordings.size > 0,
    ...(scripts.length === 0 ? {} : { data: asScriptData(pageData(evidence, result.oracles, recordings)) }),
  });
}

/** Faults and broken limits to go to, for those who do not point. */
function eventButtons({ conditions }: Evidence, result: Result): string {
  const faults = conditions.flatMap((one) =>
    one.appliedMs === null
      ? []
      : [
          `<li><button type="button" class="fault" data-at="${Math.round(one.appliedMs * 1_000)}"${one.healedMs === null ? "" : ` data-to="${Math.round(one.healedMs * 1_000)}"`}>${(one.appliedMs / 1_000).toFixed(3)} s ${escaped(one.fault)}</button></li>`,
        ],
  );
  const flags = result.oracles.flatMap((one) =>
    one.verdict === "broken" && one.atMs !== undefined
      ? [
          `<li><button type="button" class="broken" data-at="${Math.round(one.atMs * 1_000)}">${(one.atMs / 1_000).toFixed(3)} s ${SYMBOL.broken} ${escaped(one.name)}</button></li>`,
        ]
      : [],
  );
  const all = [...faults, ...flags].slice(0, 40);
  return all.length === 0 ? "" : `<ul class="events" aria-label="Go to">${all.join("")}</ul>`;
}

const PLOT = `<div class="plot-tools"><button type="button" id="zoom-in" aria-label="Zoom in">+</button><button type="button" id="zoom-out" aria-label="Zoom out">−</button><button type="button" id="zoom-all">Whole run</button>
<span class="soft">Drag to move, Ctrl and wheel to zoom, click for the log. Keys: ← → + − Home, n and p from event to event, Enter for the log.</span></div>
<div class="plot-frame"><div id="plot" tabindex="0" role="application" aria-label="Timeline of the run; the tables below hold the same figures"></div><div id="tip" role="status" hidden></div></div>`;

const LOG_WINDOW = `<section class="log-section" aria-labelledby="log-title">
<h2 id="log-title">Log</h2>
<div class="plot-tools"><button type="button" id="log-earlier">Event before</button><button type="button" id="log-later">Event after</button><input id="log-filter" type="search" placeholder="only lines with…" aria-label="Only lines with"></div>
<div class="log-window" tabindex="0"><table class="log"><tbody id="log-lines"></tbody></table></div>
</section>`;

const players = (recordings: ReadonlyMap<string, Recording>): string =>
  `<ul class="players">${[...recordings].map(([party, { href }]) => `<li><span>${escaped(party)} heard</span> <audio controls preload="metadata" src="${escaped(href)}"></audio></li>`).join("")}</ul>`;

function oracleTable(result: Result): string {
  const bad = notHeld(result);
  const rows = [...bad, ...result.oracles.filter((one) => !bad.includes(one))];
  const cells = (one: OracleResult): string =>
    `<tr class="${one.verdict}"><td><span aria-hidden="true">${SYMBOL[one.verdict]}</span> ${one.verdict}</td><th scope="row">${escaped(one.name)}</th><td>${escaped(one.detail)}</td></tr>`;
  return `<div class="scroll"><table class="oracles"><thead><tr><th scope="col">Verdict</th><th scope="col">Oracle</th><th scope="col">Figures</th></tr></thead><tbody>${rows.map(cells).join("\n")}</tbody></table></div>`;
}

function excerptBlock({ title, lines, leftOut }: Excerpt): string {
  const half = leftOut === 0 ? lines.length : lines.length / 2;
  const row = (line: Excerpt["lines"][number]): string =>
    `<tr${line.isLoud ? ' class="loud"' : ""}><td>${line.at}</td><td>${escaped(line.who)}</td><td>${escaped(line.words)}</td></tr>`;
  const gap = leftOut === 0 ? [] : [`<tr><td colspan="3">${leftOut} lines left out</td></tr>`];
  const rows = [...lines.slice(0, half).map(row), ...gap, ...lines.slice(half).map(row)];
  return `<details><summary>${escaped(title)}</summary><div class="scroll"><table class="log"><tbody>${rows.join("\n")}</tbody></table></div></details>`;
}

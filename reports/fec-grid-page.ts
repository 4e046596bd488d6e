/**
 * The page of `midcall bench fec --grid`: for every link the scheme recommended at a budget of wire rate and added delay, at a glance, and under it each link's schemes by what they cost
 * and what they leave missing.
 */
import { benchPage, chart, onAxis, percentAxis, plainAxis } from "./bench-page.ts";
import { escaped } from "./escape.ts";
import { ADDED, BOUND, BUDGET, type GridFigure, gridRecommendation, missingAt, percent, WIRES } from "./fec-grid.ts";
import { table } from "./html-parts.ts";

type Link = { readonly name: string; readonly id: string; readonly rows: readonly GridFigure[] };

const linksOf = (figures: readonly GridFigure[]): readonly Link[] =>
  [...Map.groupBy(figures, (one) => one.link)].map(([name, rows], i) => ({ name, id: `link-${i}`, rows }));

/** The page, and one drawing for each link and side: missing by wire rate, missing by added delay. */
export function gridPage(figures: readonly GridFigure[]): {
  readonly html: string;
  readonly drawings: ReadonlyMap<string, string>;
} {
  const links = linksOf(figures);
  const drawings = new Map<string, string>();
  const groups = Map.groupBy(links, ({ name }) => /^[^,]+/.exec(name)?.[0] ?? name);
  const sections = [...groups].map(([group, own], i) => {
    const articles = own.map((link) => {
      const [wire, delay] = [byWire(link), byDelay(link)];
      drawings.set(`${link.id}-wire`, wire).set(`${link.id}-delay`, delay);
      return article(link, wire, delay);
    });
    // The first lies open, so that a reader sees what lies in the others.
    return `<details${i === 0 ? " open" : ""}><summary>${escaped(group)}${own.length === 1 ? "" : `: ${own.length} links`}</summary>${articles.join("\n")}</details>`;
  });
  const says =
    `Each cell: the scheme with the least frames missing within the budget, and how many percent of frames are missing with it. A frame is missing that is not there the added delay after the earliest ` +
    `it could be; of schemes within 0.01 points the one that is least on the wire.`;
  const html = benchPage(
    "Which scheme, for this link, at this budget",
    says,
    `<section class="at-a-glance"><h2 id="glance">At a glance</h2>${choices()}${glances(links)}</section>
<section><h2>Link by link</h2>${FAMILY_KEY}${sections.join("\n")}</section>`,
    `${style()}`,
  );
  return { html, drawings };
}

/** Budgets a reader chooses from: radio buttons, of which the style sheet shows the map of what is checked. */
const wireName = (wire: string | null): string => (wire === null ? "any" : wire === "none" ? "plain stream" : wire.toUpperCase());
const wireKey = (wire: string | null): string => `w${WIRES.indexOf(wire)}`;

function choices(): string {
  const one = (group: string, key: string, words: string, isChosen: boolean): string =>
    `<label><input type="radio" name="${group}" id="${key}"${isChosen ? " checked" : ""}> ${escaped(words)}</label>`;
  return `<fieldset><legend>Wire rate at most that of</legend>${WIRES.map((wire) => one("wire", wireKey(wire), wireName(wire), wire === BUDGET.scheme)).join(" ")}</fieldset>
<fieldset><legend>Added delay</legend>${ADDED.map((added) => one("added", `d${added}`, `${added} ms`, added === BUDGET.added)).join(" ")}</fieldset>`;
}

const style = (): string => `
fieldset { display: inline-flex; flex-wrap: wrap; gap: 4px 14px; border: 1px solid var(--grid); border-radius: 4px; margin: 0 10px 10px 0; padding: 4px 12px 8px; font-size: 14px; } legend { font-size: 12px; color: var(--soft); }
.glance { display: none; }
${WIRES.flatMap((wire) => ADDED.map((added) => `.at-a-glance:has(#${wireKey(wire)}:checked):has(#d${added}:checked) .${wireKey(wire)}-d${added}`)).join(",\n")} { display: block; }
.glance table { font-size: 13px; } .glance td { padding: 2px 10px 2px 8px; border-left: 6px solid var(--tone); white-space: nowrap; } .glance td:empty { border-left: 0; } .glance tbody th { white-space: nowrap; }
.glance a { color: inherit; text-decoration: none; } .glance a:hover { text-decoration: underline; }
.m0 { --tone: var(--fine); } .m1 { --tone: var(--recovered); } .m2 { --tone: var(--concealed); } .m3 { --tone: var(--silence); } .m4 { --tone: var(--broken); }
.key i { width: 6px; height: 14px; background: var(--tone); border-radius: 0; }
.family i { border-radius: 50%; }
`;

/** Classes of what is missing, each up to and without so many percent. chosen: nobody hears it; Teams' and Duo's good calls; poor calls; hardly a call; none. */
const CLASSES: readonly (readonly [below: number, words: string])[] = [
  [0.001, "below 0.1 %"],
  [0.01, "below 1 %"],
  [0.05, "below 5 %"],
  [0.2, "below 20 %"],
  [Number.POSITIVE_INFINITY, "20 % and more"],
];
const classOf = (share: number): string => `m${CLASSES.findIndex(([below]) => share < below)}`;

function glances(links: readonly Link[]): string {
  // `loss 20 %, burst 4, jitter 20 ms` is the row `loss 20 %, burst 4` and the column `jitter 20 ms`; other links have a row of their own.
  const placed = links.map((link) => {
    const [, row = link.name, column = ""] = /^(.*), (jitter [^,]*)$/.exec(link.name) ?? [];
    return { link, row, column };
  });
  const columns = [...new Set(placed.map(({ column }) => column).filter((column) => column !== ""))];
  const rows = [...Map.groupBy(placed, ({ row }) => row)];
  const cell = (link: Link | undefined, wire: string | null, added: number): string => {
    const best = link === undefined ? undefined : gridRecommendation(link.rows, { scheme: wire, added });
    if (link === undefined || best === undefined) return "<td></td>";
    const missing = missingAt(best, added);
    return `<td class="${classOf(missing)}"><a href="#${link.id}">${escaped(best.scheme)} <span class="soft">${percent(missing)} %</span></a></td>`;
  };
  const key = `<ul class="legend key" aria-label="Missing">${CLASSES.map(([, words], i) => `<li class="m${i}"><i></i>${words} missing</li>`).join("")}</ul>`;
  return `${key}${WIRES.flatMap((wire) =>
    ADDED.map(
      (
        added,
      ) => `<div class="glance scroll ${wireKey(wire)}-d${added}"><table><thead><tr><th scope="col">Link</th>${columns.map((one) => `<th scope="col">${escaped(one)}</th>`).join("")}</tr></thead><tbody>
${rows.map(([row, own]) => `<tr><th scope="row">${escaped(row)}</th>${own[0]?.column === "" ? `${cell(own[0].link, wire, added)}${"<td></td>".repeat(Math.max(0, columns.length - 1))}` : columns.map((column) => cell(own.find((one) => one.column === column)?.link, wire, added)).join("")}</tr>`).join("\n")}
</tbody></table></div>`,
    ),
  ).join("\n")}`;
}

function article({ name, id, rows }: Link, wire: string, delay: string): string {
  const best = gridRecommendation(rows);
  const line =
    best === undefined
      ? "No scheme is within the budget."
      : `<span class="best">${escaped(best.scheme)}</span>: ${percent(missingAt(best, BUDGET.added))} % missing at ${BUDGET.added} ms, ${best.wireKbps.toFixed(1)} kbit/s, no more than ${BUDGET.scheme} has`;
  const cells = rows
    .toSorted((a, b) => missingAt(a, BUDGET.added) - missingAt(b, BUDGET.added))
    .map((one) => [one.scheme, one.wireKbps.toFixed(1), ...one.missing.map(percent)]);
  return `<article id="${id}"><h3>${escaped(name)}</h3><p>${line}.</p>
<div class="charts"><figure>${wire}<figcaption>% missing at ${BUDGET.added} ms, by wire rate</figcaption></figure><figure>${delay}<figcaption>% missing, by added delay</figcaption></figure></div>
<details><summary>All ${rows.length} lines, least missing first</summary>${table(["", "kbit/s", ...ADDED.map((added) => `% at ${added} ms`)], cells, "numbers")}</details></article>`;
}

/** Schemes of one kind have one colour. */
const FAMILIES: readonly (readonly [name: string, test: RegExp, colour: string])[] = [
  ["no FEC, LBRR", /^(none|lbrr)$/, "var(--soft)"],
  ["XOR", /^xor/, "var(--line-3)"],
  ["RED", /^red/, "var(--line-1)"],
  ["Reed-Solomon, RaptorQ", /^(rs|raptorq)/, "var(--line-2)"],
  ["sliding window", /^rlc/, "var(--line-0)"],
  ["least any code can", new RegExp(`^${BOUND}$`), "var(--ink)"],
];
const colourOf = (scheme: string): string => FAMILIES.find(([, test]) => test.test(scheme))?.[2] ?? "var(--ink)";
const FAMILY_KEY = `<ul class="legend family" aria-label="Colours">${FAMILIES.map(([name, , colour]) => `<li><i style="background:${colour}"></i>${name}</li>`).join("")}</ul>`;

/** Missing at BUDGET's delay by wire rate: every scheme; named is what nothing cheaper beats. */
function byWire({ name, id, rows }: Link): string {
  const schemes = rows.filter(({ scheme }) => scheme !== BOUND).toSorted((a, b) => a.wireKbps - b.wireKbps);
  const missing = (one: GridFigure): number => missingAt(one, BUDGET.added);
  const best = gridRecommendation(rows);
  const front = schemes.filter((one, i) => schemes.every((other, j) => j >= i || missing(other) > missing(one)));
  const limit = rows.find(({ scheme }) => scheme === BUDGET.scheme)?.wireKbps;
  const bound = rows.find(({ scheme }) => scheme === BOUND);
  const rates = schemes.map(({ wireKbps }) => wireKbps);
  const at = (one: GridFigure): readonly number[] => [one.wireKbps, onAxis(missing(one))];
  return chart(`${id}-wire`, `${name}: percent missing by wire rate, of every scheme`, {
    xAxis: plainAxis("wire rate, kbit/s", {
      min: Math.floor(Math.min(...rates, 60) / 20) * 20,
      max: Math.ceil(Math.max(...rates, 60) / 20) * 20,
    }),
    yAxis: percentAxis(),
    series: [
      {
        type: "line",
        step: "end",
        silent: true,
        symbol: "none",
        lineStyle: { color: "var(--soft)", width: 1 },
        data: front.map(at),
        ...(limit === undefined
          ? {}
          : {
              markLine: {
                silent: true,
                symbol: "none",
                label: { formatter: BUDGET.scheme, color: "var(--soft)", fontSize: 12, position: "end" },
                lineStyle: { color: "var(--soft)", type: "dashed" },
                data: [{ xAxis: limit }],
              },
            }),
      },
      {
        type: "scatter",
        silent: true,
        symbolSize: 7,
        data: schemes.map((one) => ({
          value: at(one),
          symbol: one.scheme.endsWith("lbrr") ? "triangle" : "circle",
          itemStyle: { color: colourOf(one.scheme), opacity: 0.85 },
        })),
      },
      {
        type: "scatter",
        silent: true,
        symbol: "diamond",
        symbolSize: 10,
        data:
          bound === undefined
            ? []
            : [{ value: at(bound), itemStyle: { color: "transparent", borderColor: "var(--ink)", borderWidth: 1.5 } }],
      },
      {
        type: "scatter",
        silent: true,
        symbolSize: 13,
        itemStyle: { color: "transparent", borderColor: "var(--ink)", borderWidth: 2 },
        label: {
          show: true,
          position: "right",
          formatter: best?.scheme ?? "",
          color: "var(--ink)",
          fontSize: 12,
          fontWeight: 650,
          textBorderColor: "var(--page)",
          textBorderWidth: 3,
        },
        data: best === undefined ? [] : [at(best)],
      },
    ],
  });
}

/** Missing by added delay: what is recommended at BUDGET, beside the plain stream, one copy of every frame, and what no code does better. */
function byDelay({ name, id, rows }: Link): string {
  const best = gridRecommendation(rows);
  const shown = [...new Set([best?.scheme, "none", "lbrr", BUDGET.scheme, BOUND])].flatMap(
    (scheme) => rows.find((one) => one.scheme === scheme) ?? [],
  );
  return chart(`${id}-delay`, `${name}: percent missing by added delay, of ${shown.map(({ scheme }) => scheme).join(", ")}`, {
    legend: true,
    xAxis: plainAxis("added delay, ms", ADDED.map(String)),
    yAxis: percentAxis(),
    series: shown.map((one) => ({
      type: "line",
      name: one.scheme,
      silent: true,
      symbol: one.scheme === BOUND ? "diamond" : one.scheme === "lbrr" ? "triangle" : "circle",
      symbolSize: 7,
      lineStyle: {
        color: colourOf(one.scheme),
        width: one === best ? 2.5 : 1.5,
        type: one.scheme === BOUND ? "dotted" : one === best ? "solid" : "dashed",
      },
      itemStyle: { color: colourOf(one.scheme) },
      data: one.missing.map(onAxis),
    })),
  });
}

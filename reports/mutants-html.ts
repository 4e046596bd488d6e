/** The page of `midcall mutants`: what survives first, then who caught what, how long it took, and which oracles and cases do the catching. */
import { again, CAMPAIGN_STYLE, filterOf, interruption, sortableTable, verdictBar } from "./campaign-parts.ts";
import { drawing, labelledSvg } from "./drawing.ts";
import { escaped } from "./escape.ts";
import { inMs } from "./finding.ts";
import { SYMBOL } from "./html-parts.ts";
import { type PageScript, pageOf } from "./page-shell.ts";

/** A planted bug, and who noticed it: as `mutants --json` prints it. */
export type TriedMutation = {
  readonly mutation: string;
  readonly file: string;
  readonly imitates: string;
  /** `ms`: time of the search until then. */
  readonly caught: {
    readonly case: string;
    readonly oracle: string;
    readonly seed: string;
    readonly ms: number;
    readonly runs: number;
  } | null;
  readonly runs: number;
};

export type MutantsCampaign = {
  readonly schema: "midcall/mutants@1";
  readonly command: string;
  readonly mutations: readonly TriedMutation[];
  /** Of a campaign that was interrupted: how many there were to be. */
  readonly interrupted?: { readonly of: number };
};

/** The whole page. */
export function mutantsPage({ command, mutations, interrupted }: MutantsCampaign, scripts: readonly PageScript[] = []): string {
  const survivors = mutations.filter(({ caught }) => caught === null);
  const caught = mutations.flatMap(({ caught: one }) => one ?? []);
  const verdict = survivors.length === 0 ? "held" : "broken";
  const times = caught.map(({ ms }) => ms).toSorted((a, b) => a - b);
  const [median, worst] = [times[(times.length - 1) >> 1], times.at(-1)];
  const body = `<header class="${verdict}">
<p class="verdict"><span aria-hidden="true">${SYMBOL[verdict]}</span> ${survivors.length === 0 ? "all caught" : `${survivors.length} survive`}</p>
<h1>${mutations.length} planted bugs</h1>
${verdictBar({ ...(survivors.length === 0 ? {} : { broken: survivors.length }), held: caught.length }, mutations.length, { broken: "survive", held: "caught" })}
${interruption(mutations.length, interrupted)}<p class="cause culprit">${survivors.length === 0 ? `${caught.length} of ${mutations.length} bugs were noticed.` : `Nothing notices: ${escaped(survivors.map(({ mutation }) => mutation).join(", "))}`}</p>
${median === undefined || worst === undefined ? "" : `<p class="cause">Until one was noticed it took ${inMs(median)} (median), at most ${inMs(worst)}.</p>`}
<p class="replay"><span>Again</span> ${again(command)}</p>
</header>
${survivors.length === 0 ? "" : `<section aria-labelledby="survive"><h2 id="survive">What nobody noticed</h2>${survivors.map(survivor).join("\n")}</section>`}
<section aria-labelledby="mutants"><h2 id="mutants">Planted bugs</h2>
${filterOf("mutant-table", "Only bugs with")}
${sortableTable({
  id: "mutant-table",
  heads: ["Bug", "Module", "Noticed by", "In case", "After", "Run", "Imitates", "Again"],
  rows: [...survivors, ...mutations.filter((one) => one.caught !== null)].map((one) => ({
    tone: one.caught === null ? "broken" : "held",
    cells: [
      { html: escaped(one.mutation) },
      { html: escaped(one.file.replace(/^impl\//, "")) },
      { html: one.caught === null ? `<span class="word broken">${SYMBOL.broken} survives</span>` : escaped(one.caught.oracle) },
      {
        html: one.caught === null ? "" : `${escaped(one.caught.case)} <span class="soft">seed ${escaped(one.caught.seed)}</span>`,
      },
      one.caught === null
        ? { html: "", value: undefined }
        : { html: `<span class="figure">${inMs(one.caught.ms)}</span>`, value: one.caught.ms },
      { html: String(one.runs), value: one.runs },
      { html: escaped(one.imitates), isWide: true },
      { html: again(`npx midcall mutants --only ${one.mutation}`) },
    ],
  })),
})}</section>
<section aria-labelledby="who"><h2 id="who">Who notices</h2>
<p class="soft">The first to notice each bug, as they were tried: the likely cases first.</p>
<div class="spreads">${bars("oracle", "Oracles", counted(caught.map(({ oracle }) => oracle)))}
${bars("case", "Cases", counted(caught.map((one) => one.case)))}
${bars("module", "Modules, bugs planted", counted(mutations.map(({ file }) => file.replace(/^impl\//, ""))))}</div></section>
<footer><p>${escaped(command)}. campaign.json beside this page has every row.</p></footer>`;
  return pageOf({ title: `${verdict}: ${command}`, body, style: CAMPAIGN_STYLE, scripts });
}

const survivor = ({ mutation, file, imitates, runs }: TriedMutation): string =>
  `<article class="reason broken"><h3>${escaped(mutation)} <span class="part">${escaped(file)}</span></h3><p class="says">${escaped(imitates)}</p><p class="soft">${runs} runs without noticing it</p><p class="replay"><span>Again</span> ${again(`npx midcall mutants --only ${mutation}`)}</p></article>`;

/** How often each word is there, the most frequent first. */
const counted = (words: readonly string[]): readonly (readonly [word: string, n: number])[] =>
  [...Map.groupBy(words, (one) => one)].map(([word, all]) => [word, all.length] as const).toSorted((a, b) => b[1] - a[1]);

const ROW = 20;
const LEFT = 210;

function bars(prefix: string, title: string, counts: readonly (readonly [string, number])[]): string {
  if (counts.length === 0) return "";
  const chart = drawing(640, counts.length * ROW + 10);
  try {
    chart.setOption({
      animation: false,
      grid: { left: LEFT, right: 46, top: 4, bottom: 4 },
      xAxis: { type: "value", show: false, min: 0 },
      yAxis: {
        type: "category",
        inverse: true,
        data: counts.map(([word]) => word),
        axisLabel: { color: "var(--ink)", fontSize: 12, width: LEFT - 14, overflow: "truncate", interval: 0 },
        axisTick: { show: false },
        axisLine: { show: false },
      },
      series: [
        {
          type: "bar",
          silent: true,
          barWidth: 11,
          itemStyle: { color: "var(--source)" },
          label: { show: true, position: "right", color: "var(--ink)", fontSize: 12 },
          data: counts.map(([, n]) => n),
        },
      ],
    });
    return `<figure><figcaption>${escaped(title)}</figcaption><div class="drawing" role="region" tabindex="0" aria-label="${escaped(title)}">${labelledSvg(chart, prefix, title)}</div></figure>`;
  } finally {
    chart.dispose();
  }
}

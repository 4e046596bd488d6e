/** What `midcall bench jitter` found: which jitter buffer for which link, its page and its CSV. The figures are made in cli/bench-jitter.ts. */
import { CAPTURE_MS, LOOK_AHEAD_MS } from "../impl/base/metric/mouth-to-ear.ts";
import { benchPage, chart, plainAxis } from "./bench-page.ts";
import { meanOpinionScore, rating } from "./e-model.ts";
import { escaped } from "./escape.ts";
import { table } from "./html-parts.ts";

/** One buffer under one condition; means over all seeds unless said otherwise. */
export type JitterFigure = {
  readonly condition: string;
  readonly buffer: string;
  readonly delayMs: number;
  readonly delayP95Ms: number;
  readonly targetMs: number;
  /** Percent of packets that never came. */
  readonly lost: number;
  /** Percent of packets that neither came nor were repeated by a next one that did: no buffer conceals less for long. */
  readonly unavoidable: number;
  /** Percent of samples, and the least and most of any seed. */
  readonly concealed: number;
  readonly concealedRange: readonly [number, number];
  /** Percent of packets that came and were thrown away. */
  readonly late: number;
  /** Concealments a minute, and those of 150 ms and more. */
  readonly events: number;
  readonly interruptions: number;
  /** Percent of samples put in and taken out. */
  readonly inserted: number;
  readonly removed: number;
  /** Of the first ten seconds of the first seed, against the same speech decoded without any loss. */
  readonly lsdDb: number;
  readonly stoi: number;
  /** What Chromium's NetEq made of it. */
  readonly neteq: { readonly concealed: number; readonly delayMs: number } | null;
};

/** The rest of the way from mouth to ear, milliseconds: capturing a frame, the codec's look-ahead, and a network. chosen: 50 ms one way, across a continent. */
const REST_MS: number = CAPTURE_MS + LOOK_AHEAD_MS + 50;
/** Estimated MOS of a call with so much concealed and such a wait in the buffer (G.107.2, provisional; e-model.ts). */
export const jitterMos = ({ delayMs, concealed }: Pick<JitterFigure, "delayMs" | "concealed">): number =>
  meanOpinionScore(rating(concealed / 100, 1, delayMs + REST_MS));

/** Of the buffers under one condition the one with the best estimated MOS; of those within a hundredth of it the first. */
export function jitterRecommendation(rows: readonly JitterFigure[]): JitterFigure | undefined {
  const best = Math.max(...rows.map(jitterMos));
  return rows.find((one) => jitterMos(one) >= best - 0.01);
}

const COLUMNS = [
  ...(["delayMs", "delayP95Ms", "targetMs", "lost", "unavoidable", "concealed", "late"] as const),
  ...(["events", "interruptions", "inserted", "removed", "lsdDb", "stoi"] as const),
] as const satisfies readonly (keyof JitterFigure)[];
/** Names of COLUMNS with their units. */
const HEADS: readonly string[] = [
  ...["delay_ms", "delay_p95_ms", "target_ms", "lost_percent", "unavoidable_percent", "concealed_percent", "late_percent"],
  ...["concealments_per_minute", "interruptions_per_minute", "inserted_percent", "removed_percent", "lsd_db", "stoi"],
];

/** RFC 4180, one line a condition and buffer. */
export const jitterCsv = (figures: readonly JitterFigure[]): string =>
  [
    ["condition", "buffer", ...HEADS, "neteq_concealed_percent", "neteq_delay_ms"].join(","),
    ...figures.map((one) =>
      [
        ...[one.condition, one.buffer].map((text) => `"${text.replaceAll('"', '""')}"`),
        // STOI of less than 384 ms of speech is no number.
        ...COLUMNS.map((name) => (Number.isFinite(one[name]) ? one[name].toFixed(4) : "")),
        one.neteq?.concealed ?? "",
        one.neteq?.delayMs ?? "",
      ].join(","),
    ),
    "",
  ].join("\r\n");

const NETEQ = "Chromium's NetEq";
/** How a buffer looks: no two differ by colour alone. */
const LOOKS: readonly (readonly [name: string, colour: string, symbol: string, sign: string])[] = [
  ["neteq", "var(--line-0)", "circle", "●"],
  ["ema", "var(--line-1)", "rect", "■"],
  ["neteq, own concealment", "var(--line-2)", "triangle", "▲"],
  [NETEQ, "var(--line-3)", "diamond", "◆"],
];
const lookOf = (buffer: string): (typeof LOOKS)[number] =>
  LOOKS.find(([name]) => name === buffer) ?? [buffer, "var(--ink)", "pin", "○"];

/** The page, and one drawing for each condition: concealed by delay. */
export function jitterPage(figures: readonly JitterFigure[]): {
  readonly html: string;
  readonly drawings: ReadonlyMap<string, string>;
} {
  const conditions = [...Map.groupBy(figures, (one) => one.condition)];
  const buffers = [...new Set(figures.map(({ buffer }) => buffer))];
  const hasNeteq = figures.some(({ neteq }) => neteq !== null);
  const drawings = new Map(conditions.map(([name, rows], i) => [`condition-${i}`, drawn(`condition-${i}`, name, rows)]));
  const cell = (one: Pick<JitterFigure, "concealed" | "delayMs"> | null | undefined): string =>
    one === null || one === undefined
      ? ""
      : `${one.concealed.toFixed(2)} %, ${one.delayMs.toFixed(0)} ms, ${jitterMos(one).toFixed(2)}`;
  const glance = conditions.map(([name, rows]) => {
    const best = jitterRecommendation(rows);
    return [
      name,
      best?.buffer ?? "",
      ...buffers.map((buffer) => cell(rows.find((one) => one.buffer === buffer))),
      ...(hasNeteq ? [cell(rows[0]?.neteq)] : []),
    ];
  });
  const key = `<ul class="legend" aria-label="Colours">${[...buffers, ...(hasNeteq ? [NETEQ] : [])].map((name) => `<li><span style="color:${lookOf(name)[1]}">${lookOf(name)[3]}</span> ${escaped(name)}</li>`).join("")}</ul>`;
  const all = figures.map((one) => [
    `${one.condition}: ${one.buffer}`,
    ...COLUMNS.map((name) => (Number.isFinite(one[name]) ? one[name].toFixed(name === "stoi" ? 3 : 2) : "")),
  ]);
  const html = benchPage(
    "Which jitter buffer, for this link",
    `Each cell: how much speech is concealed, how long packets wait, and the MOS estimated from both (ITU-T G.107.2, provisional) with ${REST_MS} ms for the rest of the way. Recommended: the best MOS.`,
    `<section><h2>At a glance</h2>${table(["Link", "Recommended", ...buffers, ...(hasNeteq ? [NETEQ] : [])], glance, "numbers glance")}</section>
<section><h2>Link by link</h2>${key}<div class="charts">${conditions
      .map(
        ([name, rows], i) =>
          `<figure><figcaption><strong>${escaped(name)}</strong>: ${escaped(jitterRecommendation(rows)?.buffer ?? "none")}</figcaption>${drawings.get(`condition-${i}`)}</figure>`,
      )
      .join("\n")}</div></section>
<section><details><summary>All figures</summary>${table(["", ...HEADS], all, "numbers")}</details></section>`,
    ".numbers tbody th, .numbers td { white-space: nowrap; } .glance td:nth-child(2) { font-weight: 650; }",
  );
  return { html, drawings };
}

/** The end of an axis from 0 on that holds `most`: 1, 2 or 5 times a power of ten. */
function scaleTo(most: number): number {
  const ten = 10 ** Math.floor(Math.log10(Math.max(most, 0.1)));
  return [1, 2, 5, 10].map((by) => by * ten).find((end) => end >= most * 1.05) ?? 10 * ten;
}

/** Concealed by delay: the best corner is the lower left one. The line: packets that neither came nor were repeated by one that did. */
function drawn(id: string, name: string, rows: readonly JitterFigure[]): string {
  const neteq = rows[0]?.neteq ?? null;
  const points = [...rows, ...(neteq === null ? [] : [{ ...neteq, buffer: NETEQ }])];
  const most = Math.max(...points.map(({ delayMs }) => delayMs), 60);
  const best = jitterRecommendation(rows);
  const unavoidable = rows[0]?.unavoidable ?? 0;
  const at = ({ delayMs, concealed }: Pick<JitterFigure, "delayMs" | "concealed">): readonly number[] => [delayMs, concealed];
  return chart(id, `${name}: percent concealed by delay of ${points.map(({ buffer }) => buffer).join(", ")}`, {
    xAxis: plainAxis("delay, ms", { min: 0, max: Math.ceil((most * 1.3) / 20) * 20 }),
    yAxis: {
      ...plainAxis("% concealed", { min: 0, max: scaleTo(Math.max(...points.map(({ concealed }) => concealed), unavoidable)) }),
      nameLocation: "end",
      nameGap: 8,
    },
    series: [
      {
        type: "scatter",
        silent: true,
        symbolSize: 9,
        data: points.map((one) => ({
          value: at(one),
          symbol: lookOf(one.buffer)[2],
          itemStyle: { color: lookOf(one.buffer)[1] },
        })),
        ...(unavoidable === 0
          ? {}
          : {
              markLine: {
                silent: true,
                symbol: "none",
                label: { formatter: "lost, and not repeated", position: "insideEndBottom", color: "var(--soft)", fontSize: 12 },
                lineStyle: { color: "var(--soft)", type: "dashed" },
                data: [{ yAxis: unavoidable }],
              },
            }),
      },
      {
        type: "scatter",
        silent: true,
        symbolSize: 15,
        itemStyle: { color: "transparent", borderColor: "var(--ink)", borderWidth: 2 },
        data: best === undefined ? [] : [at(best)],
      },
    ],
  });
}

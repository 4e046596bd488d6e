/** The lab of a run as a drawing: parties, NATs, links and the paths that media took, laid out from left to right through the internet. */
import type { LinkModel, NatModel, Scenario } from "../scenarios/expanded.ts";
import { drawing, svgOf } from "./drawing.ts";
import { escaped } from "./escape.ts";
import type { Carried } from "./path.ts";
import type { Measurements } from "./result.ts";

/** A box of the drawing; `x` and `y` in units of the grid. */
export type Place = {
  readonly id: string;
  readonly kind: "client" | "relay" | "nat" | "internet";
  readonly name: string;
  /** What a reader wants to know of it. */
  readonly words: string;
  readonly x: number;
  readonly y: number;
};

/** A wire. `path`: what media used it, undefined for none. */
export type Wire = { readonly from: string; readonly to: string; readonly words: string; readonly path?: "direct" | "relay" };

export type Topology = { readonly places: readonly Place[]; readonly wires: readonly Wire[] };

/**
 * `paths`: result.json's, whose steps say what each party sent by. `carried`: what each of its interfaces carried last, by its name; without it a party's
 * first interface is taken to have carried all.
 */
export function topologyOf(scenario: Scenario, paths: Measurements["path"], carried: Carried = {}): Topology {
  const clients = Object.entries(scenario.parties).filter(([, { role }]) => role === "client");
  const relays = Object.entries(scenario.parties).filter(([, { role }]) => role === "relay");
  const places: Place[] = [{ id: "internet", kind: "internet", name: "internet", words: "", x: 3, y: 1 }];
  const wires: Wire[] = [];
  for (const [index, [name, { interfaces }]] of relays.entries()) {
    const [link] = Object.values(interfaces);
    places.push({
      id: `party ${name}`,
      kind: "relay",
      name,
      words: link === undefined ? "relay" : `relay, ${linkWords(link.up, link.down)}`,
      x: 3 + (index - (relays.length - 1) / 2) * 1.5,
      y: 0,
    });
    const isUsed = Object.values(paths).some((steps) => steps.some(({ path }) => path === "relay"));
    wires.push({
      from: `party ${name}`,
      to: "internet",
      words: "",
      ...(isUsed ? { path: "relay" } : {}),
    });
  }
  const rows = { left: 0, right: 0 };
  const natPlace = new Map<string, { readonly x: number; readonly y: number }>();
  for (const [index, [name, party]] of clients.entries()) {
    const side = index % 2 === 0 ? "left" : "right";
    const out = (steps: number): number => (side === "left" ? 3 - steps : 3 + steps);
    const steps = paths[name] ?? [];
    const path = steps.at(-1)?.path;
    const interfaces = Object.entries(party.interfaces);
    const y = 1 + rows[side];
    rows[side] += Math.max(1, interfaces.length);
    places.push({ id: `party ${name}`, kind: "client", name, words: walked(steps.map((one) => one.path)), x: out(3), y });
    for (const [nth, [link, model]] of interfaces.entries()) {
      const words = `${interfaces.length > 1 ? `${link}: ` : ""}${linkWords(model.up, model.down)}`;
      const last = carried[name] === undefined ? (nth === 0 ? path : undefined) : carried[name][link];
      const carries = last === undefined ? {} : { path: last };
      let from = `party ${name}`;
      let nat = model.nat;
      const chain: string[] = [];
      while (nat !== null && !chain.includes(nat)) {
        chain.push(nat);
        nat = scenario.nats[nat]?.behind ?? null;
      }
      for (const [depth, one] of chain.entries()) {
        const model = scenario.nats[one];
        if (model === undefined) continue;
        if (!natPlace.has(one)) {
          const place = { x: out(chain.length === 1 ? 1.4 : 2.1 - depth * 1.0), y: y + nth };
          natPlace.set(one, place);
          places.push({ id: `nat ${one}`, kind: "nat", name: one, words: natWords(model), ...place });
        }
        wires.push({ from, to: `nat ${one}`, words: depth === 0 ? words : "", ...carries });
        from = `nat ${one}`;
      }
      wires.push({ from, to: "internet", words: chain.length === 0 ? words : "", ...carries });
    }
  }
  return { places, wires: distinct(wires) };
}

/** One wire for two ends, the used one. */
const distinct = (wires: readonly Wire[]): Wire[] =>
  [...Map.groupBy(wires, ({ from, to }) => `${from} ${to}`).values()].flatMap(
    (same) => same.find((one) => one.path) ?? same[0] ?? [],
  );

const walked = (paths: readonly string[]): string =>
  paths.length === 0 ? "sent no media" : `by ${paths.filter((path, i) => path !== paths[i - 1]).join(", then ")}`;

/** `25 ms, 1 % loss, 1 Mbit/s`; up and down apart where they differ. */
function linkWords(up: LinkModel, down: LinkModel): string {
  const words = (link: LinkModel): string =>
    [
      `${link.delay / 1_000}${link.jitter > 0 ? ` ± ${link.jitter / 1_000}` : ""} ms`,
      ...(link.loss > 0 ? [`${Math.round(link.loss * 1_000) / 10} % loss`] : []),
      ...(link.burst === null ? [] : ["loss in bursts"]),
      ...(link.deliveries !== undefined
        ? [`${rateWords((link.deliveries.at.length * 12e9) / link.deliveries.period)} as recorded`]
        : link.rate === null
          ? []
          : [rateWords(link.rate.bps)]),
      ...(link.mtu === undefined ? [] : [`MTU ${link.mtu}`]),
      ...((link.corrupt ?? 0) > 0 ? [`${Math.round((link.corrupt ?? 0) * 1_000) / 10} % altered`] : []),
    ].join(", ");
  return words(up) === words(down) ? words(up) : `↑ ${words(up)}  ↓ ${words(down)}`;
}

const rateWords = (bps: number): string =>
  bps < 1e6 ? `${Math.round(bps / 1e3)} kbit/s` : `${Math.round(bps / 1e5) / 10} Mbit/s`;

const SHORT: Readonly<Record<string, string>> = {
  "endpoint-independent": "EI",
  "address-dependent": "AD",
  "address-and-port-dependent": "APD",
};

/** RFC 4787's two words, short: `maps APD, filters APD`. */
const natWords = ({ mapping, filtering }: NatModel): string =>
  `maps ${SHORT[mapping] ?? mapping}, filters ${SHORT[filtering] ?? filtering}`;

const UNIT = { x: 165, y: 92 } as const;

/** As an `<svg>` element, colours from the page. */
export function drawTopology({ places, wires }: Topology): string {
  const xs = places.map(({ x }) => x);
  const ys = places.map(({ y }) => y);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const width = (Math.max(...xs) - left) * UNIT.x + 190;
  const height = (Math.max(...ys) - top) * UNIT.y + 110;
  const chart = drawing(width, height);
  try {
    chart.setOption({
      animation: false,
      series: [
        {
          type: "graph",
          layout: "none",
          coordinateSystem: undefined,
          left: 95,
          right: 95,
          top: 40,
          bottom: 60,
          silent: true,
          data: places.map(({ id, kind, name, x, y }) => ({
            id,
            name: id,
            x: x * UNIT.x,
            y: y * UNIT.y,
            symbol: "circle",
            symbolSize: kind === "internet" ? 16 : 0,
            itemStyle: {
              color: "var(--card)",
              borderColor: "var(--soft)",
              borderWidth: 2,
            },
            label: {
              show: true,
              // A box is its label's: as wide as its name, with an outline of one width.
              ...(kind === "internet"
                ? { position: "bottom" }
                : {
                    position: "inside",
                    padding: [8, 10],
                    borderRadius: kind === "nat" ? 0 : 7,
                    borderWidth: 2,
                    borderColor: `var(--${kind === "relay" ? "relay" : kind === "client" ? "source" : "soft"})`,
                    backgroundColor: "var(--card)",
                  }),
              formatter: () => clipped(name, 18),
              color: "var(--ink)",
              fontSize: 12,
              fontWeight: kind === "client" || kind === "relay" ? "bold" : "normal",
            },
          })),
          links: wires.map(({ from, to, words, path }) => ({
            source: from,
            target: to,
            lineStyle: {
              color: path === undefined ? "var(--soft)" : `var(--${path})`,
              width: path === undefined ? 1.5 : 3.5,
              opacity: 1,
            },
            label: {
              show: words !== "",
              formatter: () => clipped(words, 66).replace("  ↓", "\n↓"),
              color: "var(--soft)",
              fontSize: 10,
            },
          })),
        },
        {
          // The second line of a box, below it.
          type: "graph",
          layout: "none",
          left: 95,
          right: 95,
          top: 40,
          bottom: 60,
          silent: true,
          data: places.map(({ id, name, words, x, y }) => ({
            id,
            name: id,
            x: x * UNIT.x,
            y: y * UNIT.y,
            symbolSize: 0,
            label: {
              show: words !== "",
              position: id.startsWith("party ") ? (y === 0 ? "right" : "top") : "bottom",
              distance:
                id.startsWith("party ") && y === 0 ? Math.max(20, name.length * 4 + 22) : id.startsWith("party ") ? 32 : 20,
              formatter: () => clipped(words, 30),
              color: "var(--soft)",
              fontSize: 10,
            },
          })),
          links: [],
        },
      ],
    });
    const names = places.map(({ kind, name, words }) => `${kind} ${name}${words === "" ? "" : `: ${words}`}`).join("; ");
    return svgOf(chart)
      .replace(/<style[\s\S]*?<\/style>/g, "")
      .replace(/ class="zr[^"]*"/g, "")
      .replace(/zr\d+-/g, "topology-")
      .replace(/ ecmeta_\w+="[^"]*"/g, "")
      .replace(/<svg ([^>]*?)>/, `<svg $1 role="img" aria-label="${escaped(`Topology: ${names}`)}">`);
  } finally {
    chart.dispose();
  }
}

const clipped = (words: string, length: number): string => (words.length <= length ? words : `${words.slice(0, length - 1)}…`);

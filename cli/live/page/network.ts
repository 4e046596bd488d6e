/** The network of the live page: parties, NATs and wires, with voice moving along the way it takes and what is struck by a fault marked. */
import type { Frame } from "../frame.ts";
import type { Start } from "./start.ts";

type Colour = (name: string) => string;

/** Places from one to another along wires, the fewest; empty when there is no way. */
export function way(start: Start, from: string, to: string): string[] {
  const before = new Map<string, string>([[from, ""]]);
  const queue = [from];
  for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
    if (at === to) break;
    for (const wire of start.wires) {
      const next = wire.from === at ? wire.to : wire.to === at ? wire.from : undefined;
      if (next === undefined || before.has(next)) continue;
      before.set(next, at);
      queue.push(next);
    }
  }
  if (!before.has(to)) return [];
  const out = [to];
  for (let at = before.get(to); at !== undefined && at !== ""; at = before.get(at)) out.unshift(at);
  return out;
}

/** The whole option in `width` pixels; `flows` and `active` as they are in a frame. */
export function networkOption(
  start: Start,
  flows: Frame["flows"],
  active: Frame["active"],
  colour: Colour,
  width: number,
): object {
  const isNarrow = width < 640;
  const at = new Map(start.places.map((place) => [place.id, place]));
  const struck = new Set(active.map(({ target }) => target));
  const point = (id: string): [number, number] => [at.get(id)?.x ?? 0, -(at.get(id)?.y ?? 0)];
  const relay = start.places.find(({ kind }) => kind === "relay")?.id;
  const lines = flows.flatMap(({ from, to, path }) => {
    const ends = [`party ${from}`, `party ${to}`] as const;
    const places =
      path === "relay" && relay !== undefined
        ? [...way(start, ends[0], relay), ...way(start, relay, ends[1]).slice(1)]
        : way(start, ends[0], ends[1]);
    return places.length < 2
      ? []
      : [{ coords: places.map(point), lineStyle: { color: colour(path) }, effect: { color: colour(path) } }];
  });
  const xs = start.places.map(({ x }) => x);
  const ys = start.places.map(({ y }) => -y);
  const edge = (kind: string): string => colour(kind === "relay" ? "relay" : kind === "client" ? "source" : "soft");
  return {
    animation: false,
    grid: { left: isNarrow ? 32 : 60, right: isNarrow ? 32 : 60, top: 30, bottom: 50 },
    xAxis: { show: false, min: Math.min(...xs), max: Math.max(...xs) },
    yAxis: { show: false, min: Math.min(...ys) - 0.01, max: Math.max(...ys) },
    series: [
      {
        type: "lines",
        coordinateSystem: "cartesian2d",
        polyline: true,
        silent: true,
        lineStyle: { width: 1.5, color: colour("soft"), opacity: 1 },
        data: start.wires.map(({ from, to }) => ({ coords: [point(from), point(to)] })),
      },
      {
        type: "lines",
        id: "flows",
        coordinateSystem: "cartesian2d",
        polyline: true,
        silent: true,
        zlevel: 1,
        lineStyle: { width: 3, opacity: 0.35 },
        effect: { show: true, period: 2.2, trailLength: 0, symbol: "circle", symbolSize: 7 },
        data: lines,
      },
      {
        type: "scatter",
        silent: true,
        zlevel: 2,
        data: start.places.map(({ id, kind, name, words }) => {
          const isStruck = struck.has(name);
          // A box is its label's: a symbol that is not square has its outline stretched.
          const box = {
            position: "inside",
            align: "center",
            verticalAlign: "middle",
            width: isNarrow ? 42 : 66,
            overflow: "truncate",
            padding: [7, isNarrow ? 4 : 8],
            borderRadius: kind === "nat" ? 0 : 7,
            borderWidth: isStruck ? 3 : 2,
            borderColor: isStruck ? colour("fault") : edge(kind),
            backgroundColor: colour("card"),
          };
          return {
            value: point(id),
            symbol: "circle",
            symbolSize: kind === "internet" ? 14 : 0,
            itemStyle: { color: colour("card"), borderWidth: 2, borderColor: edge(kind), opacity: 1 },
            label: {
              show: true,
              formatter: () => (isStruck ? `⚡ ${name}` : name),
              color: colour("ink"),
              fontSize: isNarrow ? 11 : 12,
              fontWeight: kind === "nat" ? "normal" : "bold",
              ...(kind === "internet" ? { position: "bottom" } : box),
            },
            words,
          };
        }),
      },
    ],
  };
}

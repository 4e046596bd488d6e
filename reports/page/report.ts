/**
 * What report.html does in a browser: draws and zooms the timeline, tells what lies under the pointer, shows the log around an instant, plays what a
 * party heard, and copies the replay command. Without it the page has the static drawing and the excerpts.
 */
import type { PageData } from "./data.ts";
import { plotOption } from "./plot.ts";
import { clock, type Layout, layOut } from "./plot-layout.ts";

declare const echarts: {
  init(at: HTMLElement, theme: null, options: { renderer: "canvas" }): Chart;
};
type Chart = {
  setOption(option: object, notMerge?: boolean): void;
  resize(size?: { height: number }): void;
  dispatchAction(action: object): void;
  getOption(): { dataZoom: { startValue: number; endValue: number }[] };
  convertFromPixel(finder: object, x: number): number;
  convertToPixel(finder: object, at: number): number;
  getZr(): { on(name: string, heard: (event: { offsetX: number; offsetY: number }) => void): void };
  on(name: string, heard: () => void): void;
};

/** Lines of the log shown before and after the instant that was asked for. */
const AROUND = 24;

function found<E extends Element>(selector: string): E {
  const element = document.querySelector<E>(selector);
  if (element === null) throw new Error(`the page has no ${selector}`);
  return element;
}

function make(tag: string, text: string, name = ""): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  if (name !== "") element.className = name;
  return element;
}

function startReport(): void {
  const data = JSON.parse(found("#run-data").textContent ?? "") as PageData;
  const isLong = data.end > 180e6;
  const holder = found<HTMLElement>("#plot");
  document.documentElement.classList.add("scripted");
  const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  let layout: Layout = layOut(data, holder.clientWidth);
  holder.style.height = `${layout.height}px`;
  const chart = echarts.init(holder, null, { renderer: "canvas" });
  const view = (): { from: number; to: number } => {
    const zoom = chart.getOption().dataZoom[0];
    return { from: zoom?.startValue ?? 0, to: zoom?.endValue ?? data.end };
  };
  const show = (from: number, to: number): void => {
    const width = Math.min(data.end, Math.max(50_000, to - from));
    const start = Math.min(Math.max(0, from), data.end - width);
    chart.dispatchAction({ type: "dataZoom", startValue: start, endValue: start + width });
  };
  const draw = (): void => {
    const kept = holder.dataset.drawn === undefined ? { from: 0, to: data.end } : view();
    layout = layOut(data, holder.clientWidth);
    holder.style.height = `${layout.height}px`;
    chart.resize({ height: layout.height });
    chart.setOption(plotOption(data, layout, colour), true);
    holder.dataset.drawn = "yes";
    if (kept.from > 0 || kept.to < data.end) show(kept.from, kept.to);
    moveCursor();
  };

  // The instant that the log is shown around, and that playing moves along.
  let cursor: number | undefined;
  const mark = make("div", "", "cursor");
  holder.append(mark);
  const moveCursor = (): void => {
    const x = cursor === undefined ? -1 : chart.convertToPixel({ xAxisIndex: 0 }, cursor);
    const isSeen = cursor !== undefined && x >= layout.gutter && x <= layout.width - layout.right;
    mark.hidden = !isSeen;
    mark.style.left = `${x}px`;
    mark.style.height = `${layout.height - 60}px`;
  };
  chart.on("datazoom", moveCursor);

  const lines = found<HTMLElement>("#log-lines");
  const title = found<HTMLElement>("#log-title");
  const filter = found<HTMLInputElement>("#log-filter");
  const showLog = (at: number): void => {
    const here = Math.min(data.end, Math.max(0, at));
    cursor = here;
    moveCursor();
    const words = filter.value.toLowerCase();
    const wanted = words === "" ? data.log : data.log.filter(([, who, text]) => `${who} ${text}`.toLowerCase().includes(words));
    let index = wanted.findIndex(([t]) => t >= here - 500);
    if (index === -1) index = wanted.length;
    const from = Math.max(0, index - AROUND);
    title.textContent = `Log around ${clock(here, isLong)}`;
    lines.replaceChildren(
      ...wanted.slice(from, index + AROUND).map(([t, who, text, loud], i) => {
        const row = document.createElement("tr");
        if (loud === 1) row.className = "loud";
        if (from + i === index) row.classList.add("here");
        row.append(make("td", clock(t, isLong)), make("td", who), make("td", text));
        row.addEventListener("click", () => jump(t));
        return row;
      }),
    );
    const [row, all] = [lines.querySelector<HTMLElement>(".here"), lines.closest<HTMLElement>(".log-window")];
    if (row !== null && all !== null) all.scrollTop = row.offsetTop - all.clientHeight / 3;
  };
  const jump = (at: number): void => {
    const { from, to } = view();
    if (at < from || at > to) show(at - (to - from) / 2, at + (to - from) / 2);
    showLog(at);
  };
  filter.addEventListener("input", () => showLog(cursor ?? 0));
  found("#log-earlier").addEventListener("click", () => step(-1));
  found("#log-later").addEventListener("click", () => step(1));

  // From one loud line to the next.
  const loud = data.log.filter(([, , , one]) => one === 1).map(([t]) => t);
  const step = (direction: 1 | -1): void => {
    const now = cursor ?? 0;
    const next = direction === 1 ? loud.find((t) => t > now + 500) : loud.findLast((t) => t < now - 500);
    if (next !== undefined) jump(next);
  };

  const tip = found<HTMLElement>("#tip");
  chart.getZr().on("mousemove", ({ offsetX, offsetY }) => {
    const words = under(data, layout, chart.convertFromPixel({ xAxisIndex: 0 }, offsetX), offsetX, offsetY, isLong);
    tip.hidden = words === "";
    tip.textContent = words;
    const isRight = offsetX > layout.width / 2;
    tip.style.left = isRight ? "" : `${offsetX + 14}px`;
    tip.style.right = isRight ? `${layout.width - offsetX + 14}px` : "";
    tip.style.top = `${offsetY + 12}px`;
  });
  chart.getZr().on("globalout", () => {
    tip.hidden = true;
  });
  chart.getZr().on("click", ({ offsetX, offsetY }) => {
    if (offsetX < layout.gutter || offsetY > layout.height - 50) return;
    showLog(chart.convertFromPixel({ xAxisIndex: 0 }, offsetX));
  });

  holder.addEventListener("keydown", (event) => {
    const { from, to } = view();
    const width = to - from;
    const middle = cursor !== undefined && cursor >= from && cursor <= to ? cursor : (from + to) / 2;
    const zoom = (by: number): void =>
      show(middle - ((middle - from) / width) * width * by, middle + ((to - middle) / width) * width * by);
    const keys: Record<string, () => void> = {
      ArrowLeft: () => show(from - width / 5, to - width / 5),
      ArrowRight: () => show(from + width / 5, to + width / 5),
      "+": () => zoom(0.5),
      "=": () => zoom(0.5),
      "-": () => zoom(2),
      Home: () => show(0, data.end),
      Enter: () => showLog(middle),
      n: () => step(1),
      p: () => step(-1),
    };
    const act = keys[event.key];
    if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  const buttons: readonly (readonly [string, () => void])[] = [
    ["zoom-in", () => show(view().from + (view().to - view().from) / 4, view().to - (view().to - view().from) / 4)],
    ["zoom-out", () => show(view().from - (view().to - view().from) / 2, view().to + (view().to - view().from) / 2)],
    ["zoom-all", () => show(0, data.end)],
  ];
  for (const [id, act] of buttons) found(`#${id}`).addEventListener("click", act);
  for (const button of document.querySelectorAll<HTMLElement>("[data-at]"))
    button.addEventListener("click", () => {
      const at = Number(button.dataset.at);
      show(at - 1e6, Number(button.dataset.to ?? at) + 2e6);
      showLog(at);
      holder.scrollIntoView({ block: "nearest" });
    });

  for (const player of document.querySelectorAll<HTMLAudioElement>("audio")) {
    // Recordings begin with the run.
    player.addEventListener("play", () => {
      for (const other of document.querySelectorAll<HTMLAudioElement>("audio")) if (other !== player) other.pause();
      if (cursor !== undefined && Math.abs(player.currentTime - cursor / 1e6) > 0.3) player.currentTime = cursor / 1e6;
    });
    player.addEventListener("timeupdate", () => {
      if (player.paused) return;
      cursor = player.currentTime * 1e6;
      moveCursor();
    });
    player.addEventListener("error", () => {
      const gone = make("span", "The recording is not beside this page.", "soft");
      player.replaceWith(gone);
    });
  }

  const copy = found<HTMLButtonElement>("#copy");
  copy.hidden = false;
  copy.addEventListener("click", () => {
    const code = found("#replay");
    const selection = getSelection();
    selection?.selectAllChildren(code);
    // The old way works from files, where the new one may be refused.
    copy.textContent = document.execCommand("copy") ? "Copied" : "Press Ctrl+C";
    selection?.removeAllRanges();
  });

  draw();
  const first = data.flags[0]?.at ?? data.faults[0]?.from ?? 0;
  showLog(first);
  let width = holder.clientWidth;
  new ResizeObserver(() => {
    if (holder.clientWidth === width || holder.clientWidth === 0) return;
    width = holder.clientWidth;
    draw();
  }).observe(holder);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  document.documentElement.dataset.ready = "yes";
}

/** The words for what lies at a point of the drawing; empty: nothing. */
function under(data: PageData, layout: Layout, at: number, x: number, y: number, isLong: boolean): string {
  if (x < layout.gutter || x > layout.width - layout.right) return "";
  const tolerance = (data.end / layout.width) * 2;
  const row = layout.rows.find(({ top, height }) => y >= top - 2 && y <= top + height + 2);
  if (row !== undefined) {
    const hits = row.lane.bars.filter(
      ([from, to]) => at >= from - (to === from ? tolerance : 0) && at <= to + (to === from ? tolerance : 0),
    );
    const words = hits.map(([from, to, tone, title]) =>
      title === "" ? `${tone}, ${clock(from, isLong)} to ${clock(to, isLong)}` : title,
    );
    return words.length === 0 ? "" : `${row.lane.party} ${row.lane.name}\n${[...new Set(words)].slice(0, 6).join("\n")}`;
  }
  const panel = layout.panels.findIndex(({ top, height }) => y >= top && y <= top + height);
  const group = data.curves[panel];
  if (group !== undefined) {
    const readings = group.curves.map(({ party, name, points }) => {
      const point = points.findLast(([t]) => t <= at) ?? points[0];
      return `${party}, ${name}: ${point === undefined || point[1] === null ? "unknown" : `${point[1]} ${group.unit}`}`;
    });
    return `${group.name}, ${clock(at, isLong)}\n${readings.join("\n")}`;
  }
  if (panel !== -1) {
    const rungs = data.ladder.filter((rung) => Math.abs(rung.at - at) < tolerance * 4);
    return rungs
      .map((rung) => `${rung.party} ${rung.action} generation ${rung.generation}, ${clock(rung.at, isLong)}`)
      .join("\n");
  }
  const fault = data.faults.find(({ from, to }) => at >= from && at <= to);
  return fault === undefined ? "" : fault.label;
}

startReport();

/** The live page in a browser: takes frames as they come, draws network, timeline and log, and sends faults to be done by hand. */
import type { PageData } from "../../../reports/page/data.ts";
import { plotOption } from "../../../reports/page/plot.ts";
import { clock, type Layout, layOut } from "../../../reports/page/plot-layout.ts";
import type { Frame } from "../frame.ts";
import { networkOption } from "./network.ts";
import type { Start } from "./start.ts";

declare const echarts: { init(at: HTMLElement): Chart };
type Chart = {
  setOption(option: object, options?: { notMerge?: boolean; replaceMerge?: string[] }): void;
  resize(size?: { height: number }): void;
  dispatchAction(action: object): void;
};

/** While nobody has zoomed, the timeline shows the last so many microseconds. */
const WINDOW = 20e6;

const element = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E;
const start = JSON.parse(element("start").textContent ?? "") as Start;
const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const network = echarts.init(element("network"));
const holder = element("plot");
holder.style.height = "300px";
const plot = echarts.init(holder);

let drawn = "";
function drawNetwork({ flows, active }: Pick<Frame, "flows" | "active">): void {
  // Drawn anew only when it changes: what moves would jump.
  const key = JSON.stringify([flows, active, colour("page"), element("network").clientWidth]);
  if (key === drawn) return;
  drawn = key;
  network.resize();
  network.setOption(networkOption(start, flows, active, colour, element("network").clientWidth), { notMerge: true });
}

function drawPlot(data: PageData): void {
  const layout: Layout = layOut(data, holder.clientWidth);
  if (holder.style.height !== `${layout.height}px`) {
    holder.style.height = `${layout.height}px`;
    plot.resize({ height: layout.height });
  }
  plot.setOption(plotOption(data, layout, colour), { notMerge: true });
  if (data.end > WINDOW) plot.dispatchAction({ type: "dataZoom", startValue: data.end - WINDOW, endValue: data.end });
}

function cell(text: string): HTMLTableCellElement {
  const made = document.createElement("td");
  made.textContent = text;
  return made;
}

function drawLog(log: Frame["log"]): void {
  const lines = element("log-lines");
  const box = lines.closest<HTMLElement>(".log-window");
  const isAtEnd = box === null || box.scrollTop + box.clientHeight > box.scrollHeight - 40;
  lines.replaceChildren(
    ...log.map(([t, who, words, loud]) => {
      const row = document.createElement("tr");
      if (loud === 1) row.className = "loud";
      row.append(cell(clock(t, start.duration > 180e6)), cell(who), cell(words));
      return row;
    }),
  );
  if (isAtEnd && box !== null) box.scrollTop = box.scrollHeight;
}

let last: Frame | undefined;
function show(frame: Frame): void {
  last = frame;
  element("clock").textContent = clock(frame.at, start.duration > 180e6);
  element<HTMLProgressElement>("progress").value = Math.min(1, frame.at / frame.duration);
  element("active").replaceChildren(
    ...frame.active.map(({ label }) => {
      const item = document.createElement("li");
      item.textContent = `⚡ ${label}`;
      return item;
    }),
  );
  drawNetwork(frame);
  drawPlot(frame.plot);
  drawLog(frame.log);
  document.documentElement.dataset.ready = "yes";
}

const SIGNS: Readonly<Record<string, string>> = { held: "✓", broken: "✗", inconclusive: "?", crashed: "!" };

/** The newest frame that came and is not drawn. */
let waiting: string | undefined;
let isDrawing = false;
function showWaiting(): void {
  if (waiting !== undefined) show(JSON.parse(waiting) as Frame);
  waiting = undefined;
}
/** On a machine where drawing takes longer than frames take to come, those between are left out, and a hand on the page is heard between two drawings. */
function drawNext(): void {
  if (isDrawing || waiting === undefined) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    const began = performance.now();
    showWaiting();
    setTimeout(() => {
      isDrawing = false;
      drawNext();
    }, performance.now() - began);
  });
}

let source: EventSource | undefined;
function listen(speed: string): void {
  source?.close();
  source = new EventSource(`events?speed=${speed}&from=${Math.round(last?.at ?? 0)}`);
  source.addEventListener("frame", (event) => {
    waiting = event.data;
    drawNext();
  });
  source.addEventListener("result", (event) => {
    source?.close();
    showWaiting();
    const result = JSON.parse(event.data) as { verdict: string; cause: string; culprit: string; dir: string };
    element("head").className = result.verdict;
    element("verdict").textContent = `${SIGNS[result.verdict] ?? ""} ${result.verdict}`;
    element("cause").textContent = `${result.culprit} ${result.cause} Report: ${result.dir}/report.html`.trim();
    element("cause").hidden = false;
    document.documentElement.dataset.over = result.verdict;
  });
}

const speed = document.querySelector<HTMLSelectElement>("#speed");
speed?.addEventListener("change", () => listen(speed.value));
listen(speed?.value ?? "1");

for (const button of document.querySelectorAll<HTMLElement>("[data-fault]"))
  button.addEventListener("click", () => {
    const answer = element("answer");
    fetch("inject", { method: "POST", headers: { "content-type": "application/json" }, body: button.dataset.fault ?? "" }).then(
      async (response) => {
        answer.textContent = response.ok ? `Done: ${button.textContent}` : `Refused: ${await response.text()}`;
      },
      () => {
        answer.textContent = "The run is gone.";
      },
    );
  });

const again = (): void => {
  drawn = "";
  if (last !== undefined) show(last);
};
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
addEventListener("resize", again);

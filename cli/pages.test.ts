/** report.html as its readers meet it: in Chromium, from a file, without a network. */
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LogRecord } from "../impl/base/record.ts";
import { campaignOf } from "../reports/campaign.ts";
import { campaignPage } from "../reports/campaign-html.ts";
import { runOf } from "../reports/campaign-run.ts";
import { ADDED, BOUND } from "../reports/fec-grid.ts";
import { gridPage } from "../reports/fec-grid-page.ts";
import { assess, render } from "../reports/index.ts";
import { mutantsPage } from "../reports/mutants-html.ts";
import type { PageData } from "../reports/page/data.ts";
import { readLog } from "../reports/read-log.ts";
import type { Result } from "../reports/result.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { type Opened, type TestBrowser, testBrowser } from "./browser.fixture.ts";
import { GRID } from "./fec-grid.ts";
import { HOSTILE, hostileRun, MARKUP } from "./hostile-run.fixture.ts";
import { openLivePage } from "./live/server.ts";
import { campaignScripts, reportScripts } from "./page-script.ts";
import { midcall } from "./recorded-terminal.fixture.ts";

let folder = "";
let browser: TestBrowser | undefined;
const RUN = "out/relay-restart/sim-0x2";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcall-pages-"));
  browser = await testBrowser();
  // Companions are drawn, not heard.
  const fast = ["--codec", "sized", "--crypto", "null"];
  await midcall(folder, ["run", "relay-restart", "--twin", ...fast]);
  await midcall(folder, ["run", "relay-restart", ...fast]);
  await midcall(folder, ["run", "relay-restart", "--seed", "2"]);
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

type Context = { skip(reason: string): void };
/** The browser, or the test is left out by name. */
function wanted(context: Context): TestBrowser {
  if (browser === undefined) context.skip("there is no /usr/bin/chromium (Debian: apt-get install -y chromium)");
  return browser as TestBrowser;
}
/** Of what the page needs: more than its window has scrolls sideways. */
const widthOf = ({ page }: Opened): Promise<unknown> => page.evaluate("document.documentElement.scrollWidth");
const urlOf = (...path: string[]): string => pathToFileURL(join(folder, ...path)).href;
const dataOf = async (...path: string[]): Promise<PageData> => {
  const html = await readFile(join(folder, ...path), "utf8");
  return JSON.parse(/<script type="application\/json" id="run-data">(.*?)<\/script>/s.exec(html)?.[1] ?? "");
};

test("a benchmark's page shows the map of the budget that is chosen, leads from there to a link, and fits a phone", async (context) => {
  const links = GRID.map(({ name }) => name).filter((name) => /^(loss 20 %|outage)/.test(name));
  const figures = links.flatMap((link, i) =>
    ["none", "red 1", "red 2", HOSTILE, BOUND].map((scheme, j) => {
      const missing = ADDED.map((added) => Math.min(1, ((i + 1) * 10) / added / (j + 1)));
      return { link, scheme, wireKbps: 60 + 25 * j, missing, range: missing.map((one) => [one, one] as const) };
    }),
  );
  await writeFile(join(folder, "grid.html"), gridPage(figures).html);
  const { page, complaints } = await wanted(context).open(urlOf("grid.html"), { offline: true });
  const shown = (): Promise<string | null> => page.locator(".glance:visible").textContent();
  expect(await shown()).toContain("red 1");
  await page.locator("#w3").check();
  await page.locator("#d60").check();
  expect(await page.locator(".glance:visible").count()).toBe(1);
  expect(await shown()).toContain(MARKUP);
  const last = page.locator(`#link-${links.length - 1}`);
  expect(await last.isVisible()).toBe(false);
  await page.locator(`.glance:visible a[href="#link-${links.length - 1}"]`).click();
  await last.waitFor({ state: "visible" });
  expect(complaints).toEqual([]);
  const narrow = await wanted(context).open(urlOf("grid.html"), { viewport: { width: 400, height: 800 }, colorScheme: "dark" });
  expect(await widthOf(narrow)).toBeLessThanOrEqual(400);
});

test("from a file and without a network the report draws, zooms, plays, and shows the log around what is chosen", async (context) => {
  const { page, complaints } = await wanted(context).open(urlOf(RUN, "report.html"), { offline: true });
  await page.waitForSelector("html[data-ready]");
  expect(await page.locator("#plot canvas").count()).toBe(1);
  expect(await page.locator(".static").isVisible()).toBe(false);
  // The fault's button moves log and window there; the next event by keyboard moves on.
  await page.getByRole("button", { name: "5.000 s kill r1" }).click();
  expect(await page.locator("#log-title").textContent()).toBe("Log around 5.000 s");
  expect(await page.locator("#log-lines .here").textContent()).toContain("fault applied");
  await page.locator("#plot").focus();
  await page.keyboard.press("n");
  expect(await page.locator("#log-title").textContent()).not.toBe("Log around 5.000 s");
  await page.locator("#log-filter").fill("CallResume");
  for (const line of await page.locator("#log-lines tr").allTextContents()) expect(line).toContain("CallResume");
  await page.keyboard.press("Escape");
  // A click in the drawing asks for the log of that instant.
  const box = await page.locator("#plot canvas").boundingBox();
  await page.locator("#zoom-all").click();
  await page.mouse.click((box?.x ?? 0) + 600, (box?.y ?? 0) + 90);
  expect(await page.locator("#log-title").textContent()).toMatch(/^Log around \d+\.\d{3} s$/);
  await expect.poll(() => page.evaluate("Math.round(document.querySelector('audio').duration)")).toBe(15);
  expect(complaints).toEqual([]);
});

test("it reads on a telephone, in the dark, on paper, and without scripts", async (context) => {
  const chromium = wanted(context);
  const narrow = await chromium.open(urlOf(RUN, "report.html"), { viewport: { width: 400, height: 800 }, colorScheme: "dark" });
  await narrow.page.waitForSelector("html[data-ready]");
  expect(await widthOf(narrow)).toBeLessThanOrEqual(400);
  expect(await narrow.page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(20, 23, 26)");
  await narrow.page.emulateMedia({ media: "print" });
  expect(await narrow.page.locator(".static svg").isVisible()).toBe(true);
  expect(await narrow.page.locator("#plot").isVisible()).toBe(false);
  const bare = await chromium.open(urlOf(RUN, "report.html"), { javaScriptEnabled: false });
  expect(await bare.page.locator(".static svg").isVisible()).toBe(true);
  expect(await bare.page.locator("#plot").isVisible()).toBe(false);
  expect([...narrow.complaints, ...bare.complaints]).toEqual([]);
});

test("pages of comparisons, of runs and of campaigns, scroll sideways neither on a telephone nor on a wide screen", async (context) => {
  const chromium = wanted(context);
  const earlier = "out/relay-restart/sim-0x1";
  expect((await midcall(folder, ["compare", earlier, RUN, "--html", "runs.html"])).err).not.toContain("midcall:");
  expect((await midcall(folder, ["compare", "out", "out", "--html", "campaigns.html"])).err).not.toContain("midcall:");
  for (const name of ["runs.html", "campaigns.html"])
    for (const width of [400, 1_280]) {
      const opened = await chromium.open(urlOf(name), { viewport: { width, height: 800 } });
      expect(await widthOf(opened), name).toBeLessThanOrEqual(width);
      expect(opened.complaints).toEqual([]);
    }
  // One above the other on one time axis: the same instant stands at the same place in both.
  const opened = await chromium.open(urlOf("runs.html"));
  const ticks = await opened.page
    .locator(".sides svg")
    .evaluateAll((all) =>
      all.map((svg) =>
        [...svg.querySelectorAll("text")].filter((one) => one.textContent === "10 s").map((one) => one.getBoundingClientRect().x),
      ),
    );
  expect(ticks).toHaveLength(2);
  expect(ticks[0]).toHaveLength(1);
  expect(ticks[1]).toEqual(ticks[0]);
});

test("it shows what the twin looks like, and what differs from the last run that held", async () => {
  const html = await readFile(join(folder, RUN, "report.html"), "utf8");
  const section = (id: string): string => html.split(`<h2 id="${id}">`)[1]?.split("</section>")[0] ?? "";
  for (const words of ["✗ broken", "<svg", "media-recovers", "limit 500 ms"]) expect(section("twin")).toContain(words);
  for (const words of ["out/relay-restart/sim-0x1<", "figures differ", "<table"]) expect(section("last-held")).toContain(words);
});

test("every number on the page is that of result.json, which is that of the log", async (context) => {
  const result: Result = JSON.parse(await readFile(join(folder, RUN, "result.json"), "utf8"));
  const scenario: Scenario = JSON.parse(await readFile(join(folder, RUN, "scenario.json"), "utf8"));
  const { records } = readLog(await readFile(join(folder, RUN, "run.ndjson"), "utf8"));
  expect(assess({ ...result, scenario, records })).toEqual(result);

  const { page } = await wanted(context).open(urlOf(RUN, "report.html"));
  const rows = await page.locator("table.numbers").first().locator("tbody tr").allInnerTexts();
  const shown = new Map(rows.map((row) => [row.split("\t")[0] ?? "", row.split("\t").slice(1)]));
  const ms = (value: number): string =>
    value < 10_000 ? `${Math.round(value * 10) / 10} ms` : `${Math.round(value / 10) / 100} s`;
  const { audio, recovery, signal, path, network, generations } = result.measurements;
  const parties = Object.keys(scenario.parties);
  const each = (cell: (party: string) => string | undefined): string[] => parties.map((party) => cell(party) ?? "");
  const of =
    <T>(all: Readonly<Record<string, T>>, cell: (one: T) => string) =>
    (party: string): string | undefined => {
      const one = all[party];
      return one === undefined ? undefined : cell(one);
    };
  const recovered = (which: "fromFaultMs" | "fromHealMs"): string[] =>
    each((party) => {
      const one = recovery.find((entry) => entry.party === party);
      return one === undefined ? undefined : ms(one[which] ?? Number.NaN);
    });
  const expected: Record<string, string[]> = {
    "Heard again after the fault": recovered("fromFaultMs"),
    "Heard again after its heal": recovered("fromHealMs"),
    "Longest gap": each(of(audio, (one) => ms(one.longestGapMs))),
    "Gaps / of 150 ms and more": each(of(audio, (one) => `${one.gapCount} / ${one.interruptionCount}`)),
    "Concealed or silent": each(of(audio, (one) => `${Math.round(one.concealmentRatio * 10_000) / 100} %`)),
    "Mouth to ear, median / p95": each(
      of(audio, ({ mouthToEarMs }) => `${ms(mouthToEarMs.p50 ?? 0)} / ${ms(mouthToEarMs.p95 ?? 0)}`),
    ),
    "Estimated MOS (E-model, provisional)": each(of(audio, ({ mos }) => (mos ?? 0).toFixed(2))),
    "Source frames played / expected": each(of(audio, (one) => `${one.framesPlayed} / ${one.framesExpected}`)),
    "Not registered": each(of(signal, (one) => ms(one.downMs))),
    "Reconnects / attempts": each(of(signal, (one) => `${one.reconnects} / ${one.attempts}`)),
    Path: each(of(path, (steps) => steps.map((step) => step.path).join(", then "))),
    "Candidate updates applied / refused as stale": each(
      of(generations, (one) => (one.delivered === 0 ? "" : `${one.applied} / ${one.refusedStale}`)),
    ),
    "UDP packets sent / received": each(of(network, (one) => `${one.sentPackets} / ${one.receivedPackets}`)),
    "UDP octets sent": each(of(network, (one) => String(one.sentBytes))),
    "UDP packets dropped on its links": each(of(network, (one) => String(one.lostPackets))),
  };
  for (const [name, cells] of shown) expect([name, ...cells]).toEqual([name, ...(expected[name] ?? ["a row nobody recomputes"])]);
  expect(shown.size).toBeGreaterThan(12);
  const oracles = await page.locator("table.oracles tbody tr").allInnerTexts();
  expect(oracles.map((row) => row.split("\t")[2])).toEqual(result.oracles.map((one) => one.detail));
  const text = await page.locator("main").textContent();
  for (const one of result.conditions) expect(text).toContain(`${one.observed.packetsDropped} packets dropped`);
});

test("every point of every curve, and every bar of the strips, is in the log", async () => {
  const data = await dataOf(RUN, "report.html");
  const { records } = readLog(await readFile(join(folder, RUN, "run.ndjson"), "utf8"));
  const curve = (group: string, party: string, name: string): readonly (readonly [number, number | null])[] =>
    data.curves.find((one) => one.name === group)?.curves.find((one) => one.party === party && one.name === name)?.points ?? [];
  // Worked out anew, the plain way: from one reading to the next.
  const readings = <E extends LogRecord["ev"]>(ev: E): (LogRecord & { ev: E })[] =>
    records.filter((one): one is LogRecord & { ev: E } => one.ev === ev && one.who === "alice");
  const stats = readings("stats");
  const level = stats.slice(1).flatMap((now, i) => {
    const before = stats[i] ?? now;
    const samples = now.jitterBufferEmittedCount - before.jitterBufferEmittedCount;
    return [
      [
        now.t,
        samples <= 0 ? null : Math.round((100 * 1_000 * (now.jitterBufferDelay - before.jitterBufferDelay)) / samples) / 100,
      ],
    ];
  });
  expect(curve("jitter buffer", "alice", "level")).toEqual(level);
  expect(level.length).toBeGreaterThan(5);
  const lost = stats.slice(1).map((now, i) => {
    const before = stats[i] ?? now;
    const n = Math.max(0, now.packetsLost - before.packetsLost);
    const all = n + now.packetsReceived - before.packetsReceived;
    return [now.t, all === 0 ? null : Math.round((10_000 * n) / all) / 100];
  });
  expect(curve("packets lost", "alice", "to it")).toEqual(lost);
  const network = readings("network");
  const rate = network.slice(1).map((now, i) => {
    const before = network[i] ?? now;
    const isOn = now.sentBytes >= before.sentBytes && now.t > before.t;
    return [now.t, isOn ? Math.round((800_000 * (now.sentBytes - before.sentBytes)) / (now.t - before.t)) / 100 : null];
  });
  expect(curve("sent", "alice", "UDP payload")).toEqual(rate);
  const strip = data.lanes.find((lane) => lane.party === "alice" && lane.isAudio);
  const result: Result = JSON.parse(await readFile(join(folder, RUN, "result.json"), "utf8"));
  const frames = (tone: string): number =>
    (strip?.bars ?? []).reduce((n, [from, to, own]) => n + (own === tone ? Math.round((to - from) / 20_000) : 0), 0);
  expect(frames("concealed")).toBe(result.measurements.audio.alice?.framesConcealed);
  expect(frames("silence")).toBe(result.measurements.audio.alice?.framesSilent);
});

test("ten minutes of a torn call open with less than two seconds of a processor and stay below 5 MB", async (context) => {
  const chromium = wanted(context);
  const torn = ["--set", "duration=600s", "--set", "faults.0.for=595s", "--codec", "sized", "--crypto", "null"];
  const said = await midcall(folder, ["run", "one-way-loss", ...torn]);
  expect(said.err).not.toContain("midcall:");
  const path = join("out", "one-way-loss", "sim-0x1", "report.html");
  expect((await stat(join(folder, path))).size).toBeLessThan(3_000_000);
  // What there is to draw is bounded, however long and torn the call: bars by the frames there are, curves by readings, the drawing for paper by its slices.
  const { lanes, curves, log, end } = await dataOf(path);
  expect(end).toBeGreaterThanOrEqual(600_000_000);
  expect(Math.max(...lanes.map(({ bars }) => bars.length))).toBeGreaterThan(10_000);
  for (const { bars, name } of lanes) expect(bars.length, name).toBeLessThanOrEqual(15_000);
  for (const group of curves) for (const { name, points } of group.curves) expect(points.length, name).toBeLessThanOrEqual(601);
  expect(log.length).toBeLessThan(1_000);
  for (const [drawing] of (await readFile(join(folder, path), "utf8")).matchAll(/<svg.*?<\/svg>/gs))
    expect(drawing.split("<").length).toBeLessThan(10_000);
  const opened = await chromium.open(urlOf(path), { measured: true });
  await opened.page.waitForSelector("html[data-ready]");
  // From the beginning of the navigation to a drawing that can be zoomed. In processor time: the clock on the wall is a busy machine's.
  expect(await opened.processorMs()).toBeLessThan(2_000);
  expect(opened.complaints).toEqual([]);
});

/** What a page must not have become, whatever the run's words are. */
async function isText({ page }: Opened): Promise<void> {
  expect(await page.locator("img").count()).toBe(0);
  expect(await page.title()).not.toBe("owned");
  expect(await page.locator("main").textContent()).toContain(MARKUP);
}

test("the page of a campaign sorts by keyboard, filters, copies, leads to the runs, fits a phone, and holds no markup of its runs", async (context) => {
  const chromium = wanted(context);
  const result: Result = JSON.parse(await readFile(join(folder, RUN, "result.json"), "utf8"));
  const hostile = hostileRun();
  const runs = [runOf(result), runOf({ ...result, scenario: "zebra", seed: "0x9" }), runOf(hostile.result)];
  const campaign = campaignOf(`npx midcall run '${HOSTILE}'`, runs, {
    explored: { says: [HOSTILE], probes: [{ name: HOSTILE, says: MARKUP, runs: 0 }], faults: [] },
    interrupted: { of: 7 },
  });
  const extras = { scripts: await campaignScripts(), linkTo: (dir: string, file: string) => `${dir}/${file}` };
  await writeFile(join(folder, "campaign.html"), campaignPage(campaign, extras));
  const opened = await chromium.open(urlOf("campaign.html"), { offline: true });
  const { page, complaints } = opened;
  await page.waitForSelector("html[data-ready]");
  await isText(opened);
  expect(await widthOf(opened)).toBeLessThanOrEqual(1_280);
  const names = (): Promise<string[]> => page.locator("#case-table tbody th").allTextContents();
  expect((await names())[0]).toContain("attack");
  // By keyboard: the head takes the focus, a first Enter falls, a second rises.
  await page.locator("#case-table thead button", { hasText: "Longest gap" }).focus();
  const gaps = (): Promise<number[]> =>
    page.locator("#case-table tbody td:nth-child(5)").evaluateAll((all) => all.map((one) => Number(one.getAttribute("data-v"))));
  await page.keyboard.press("Enter");
  expect(await gaps()).toEqual((await gaps()).toSorted((a, b) => b - a));
  await page.keyboard.press("Enter");
  expect(await gaps()).toEqual((await gaps()).toSorted((a, b) => a - b));
  expect(new Set(await gaps()).size).toBeGreaterThan(1);
  expect(await page.locator("#case-table th[aria-sort=ascending]").textContent()).toBe("Longest gap");
  await page.locator("input[data-filters=run-table]").fill("zebra");
  expect(await page.locator("#run-table tbody tr:visible").count()).toBe(1);
  await page.locator("#case-table tr", { hasText: "zebra" }).locator("button.copy").click();
  expect(await page.locator("button.copy", { hasText: /Copied|Press Ctrl/ }).count()).toBe(1);
  expect(complaints).toEqual([]);
  await page.locator("#run-table tbody tr:visible a").click();
  await page.waitForSelector("html[data-ready] #plot");
  expect(await page.title()).toBe("relay-restart: held");
  const narrow = await chromium.open(urlOf("campaign.html"), { viewport: { width: 400, height: 800 }, colorScheme: "dark" });
  await narrow.page.waitForSelector("html[data-ready]");
  expect(await widthOf(narrow)).toBeLessThanOrEqual(400);
  expect(await narrow.page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(20, 23, 26)");
  const bare = await chromium.open(urlOf("campaign.html"), { javaScriptEnabled: false });
  await isText(bare);
  expect(await bare.page.locator(".spreads svg").first().isVisible()).toBe(true);
  expect([...narrow.complaints, ...bare.complaints]).toEqual([]);

  // The page of planted bugs, in the same words.
  const tried = { mutation: HOSTILE, file: MARKUP, imitates: HOSTILE, runs: 3 };
  const caught = { case: HOSTILE, oracle: MARKUP, seed: "0x1", ms: 12, runs: 3 };
  const mutations = [
    { ...tried, caught: null },
    { ...tried, caught },
  ];
  await writeFile(
    join(folder, "mutants.html"),
    mutantsPage({ schema: "midcall/mutants@1", command: HOSTILE, mutations }, extras.scripts),
  );
  const mutants = await chromium.open(urlOf("mutants.html"), { viewport: { width: 400, height: 800 } });
  await mutants.page.waitForSelector("html[data-ready]");
  await isText(mutants);
  expect(await widthOf(mutants)).toBeLessThanOrEqual(400);
  expect(mutants.complaints).toEqual([]);
});

test("a party called by markup is text in the report and on the live page", async (context) => {
  const chromium = wanted(context);
  const hostile = hostileRun();
  const { result, scenario, records } = hostile;
  const pages = render(result, scenario, records, {
    scripts: await reportScripts(),
    recordings: new Map([[HOSTILE, { href: "audio/x.wav", peaks: [0, 1], sliceMs: 20 }]]),
    twin: hostile,
    lastHeld: { ...result, dir: HOSTILE },
  });
  await writeFile(join(folder, "hostile.html"), pages.get("report.html") ?? "");
  const report = await chromium.open(urlOf("hostile.html"));
  await report.page.waitForSelector("html[data-ready]");
  await isText(report);
  await report.page.locator("#log-filter").fill("onerror");
  expect(await report.page.locator("#log-lines").textContent()).toContain(MARKUP);
  await isText(report);
  expect(await widthOf(report)).toBeLessThanOrEqual(1_280);

  const live = await openLivePage({
    scenario,
    lab: "netns",
    log: { records, read: async () => true },
    result: async () => result,
    inject: async () => ({ ok: false, reason: MARKUP }),
  });
  try {
    const narrow = await chromium.open(live.url, { viewport: { width: 400, height: 800 }, colorScheme: "dark" });
    await narrow.page.waitForSelector("html[data-over]");
    expect(await widthOf(narrow)).toBeLessThanOrEqual(400);
    const opened = await chromium.open(live.url);
    await opened.page.waitForSelector("html[data-over]");
    expect(await widthOf(opened)).toBeLessThanOrEqual(1_280);
    await isText(opened);
    expect(await opened.page.locator("#cause").textContent()).toContain(MARKUP);
    expect(await opened.page.locator("#log-lines").textContent()).toContain(MARKUP);
    await opened.page.locator("button", { hasText: "Kill for 2 s: <img" }).click();
    await expect.poll(() => opened.page.locator("#answer").textContent()).toContain(`Refused: ${MARKUP}`);
    await isText(opened);
  } finally {
    await live.close();
  }
}, 60_000);

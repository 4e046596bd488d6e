/** The live page as a person has it: in Chromium, beside a run that goes on. The tests are about one page each and wait most of the time: they go on together. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, test } from "vitest";
import { lacks } from "../netns/install.ts";
import { readLog } from "../reports/read-log.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { type TestBrowser, testBrowser } from "./browser.fixture.ts";
import { midcall } from "./recorded-terminal.fixture.ts";

let folder = "";
let browser: TestBrowser | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcall-live-"));
  browser = await testBrowser();
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Remembers what the page's clock showed: on a busy machine a short run can be over before anybody has asked twice. */
const CLOCK_WATCHER = `
  window.shown = new Set();
  document.addEventListener("DOMContentLoaded", () => {
    const clock = document.getElementById("clock");
    new MutationObserver(() => window.shown.add(clock.textContent)).observe(clock, { childList: true, characterData: true, subtree: true });
  });
`;

/** A limit for a machine that has much else to do; what is waited for comes within a second otherwise. */
const PATIENT = { timeout: 120_000 } as const;

type Context = { skip(reason: string): void };
function wanted(context: Context): TestBrowser {
  if (browser === undefined) context.skip("there is no /usr/bin/chromium (Debian: apt-get install -y chromium)");
  return browser as TestBrowser;
}

type Going = { readonly url: string; stop(): Promise<number> };

/** `midcall` with `words`, as a process, as soon as it has told the page's address. */
function watching(...words: string[]): Promise<Going> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "midcall.mjs"), ...words], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const gone = new Promise<number>((resolve) => child.on("exit", (code) => resolve(code ?? -1)));
  return new Promise((resolve, reject) => {
    let said = "";
    const hear = (chunk: Buffer): void => {
      said += chunk.toString();
      const url = /watch: (http:\S+)/.exec(said)?.[1];
      if (url === undefined) return;
      resolve({
        url,
        stop: () => {
          child.kill("SIGINT");
          return gone;
        },
      });
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    void gone.then((code) => reject(new Error(`ended with ${code}: ${said}`)));
  });
}

const asked = (
  url: string,
  method = "GET",
  headers: Record<string, string> = {},
  body = "",
): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    const one = request(url, { method, headers, agent: false }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    one.on("error", reject);
    one.end(body);
  });

test.concurrent("a run in virtual time is shown as it would have gone, at the speed that is asked for, and nobody without the token sees anything", async (context) => {
  // Tests that go on together have each their own.
  const { expect } = context;
  const going = await watching("run", "relay-restart", "--watch", "--codec", "sized");
  try {
    const { origin } = new URL(going.url);
    for (const path of ["/", "//", "/events", "/inject", `/${"0".repeat(32)}/`, `/${"0".repeat(32)}/events`])
      expect(await asked(`${origin}${path}`)).toEqual({ status: 404, text: "" });
    // Under another name (DNS rebinding), and where nothing can be done by hand.
    expect((await asked(going.url, "GET", { host: "attacker.example" })).status).toBe(404);
    expect((await asked(`${going.url}inject`, "POST", { origin, "content-type": "application/json" }, "{}")).status).toBe(409);

    const { page, complaints } = await wanted(context).open(going.url, { first: CLOCK_WATCHER });
    await page.waitForSelector("html[data-ready]", PATIENT);
    expect(await page.locator("#network canvas").count()).toBeGreaterThan(0);
    expect(await page.locator("[data-fault]").count()).toBe(0);
    // It goes on by itself.
    await expect.poll(() => page.evaluate("window.shown.size"), PATIENT).toBeGreaterThan(1);
    await page.locator("#speed").selectOption("16", PATIENT);
    await expect.poll(() => page.locator("#log-lines").textContent(), PATIENT).toContain("kill r1");
    await page.locator("#speed").selectOption("1000", PATIENT);
    await page.waitForSelector("html[data-over=held]", PATIENT);
    expect(await page.locator("#cause").textContent()).toContain("report.html");
    expect(complaints).toEqual([]);
  } finally {
    expect(await going.stop()).toBe(130);
  }
});

test.concurrent("a fault done by hand strikes a run on a real kernel, is in its log and scenario, and can be replayed", async (context) => {
  const { expect } = context;
  const [lack] = await lacks();
  if (lack !== undefined) return context.skip(`plain namespaces need ${lack.what}`);
  const chromium = wanted(context);
  // Long enough for a browser that a busy machine gives little: once the run is over nothing can be done to it.
  const going = await watching("run", "baseline", "--lab", "netns", "--watch", "--set", "duration=60s");
  try {
    const { page, complaints } = await chromium.open(going.url);
    await page.waitForSelector("html[data-ready]", PATIENT);
    const { origin } = new URL(going.url);
    const json = { "content-type": "application/json" };
    // Not from elsewhere, and nothing that a scenario could not say.
    expect(
      (await asked(`${going.url}inject`, "POST", { ...json, origin: "http://attacker.example" }, '{"kind":"kill","target":"r1"}'))
        .status,
    ).toBe(403);
    const wrong = await asked(`${going.url}inject`, "POST", { ...json, origin }, '{"kind":"kill","target":"<img src=x>"}');
    expect(wrong.status).toBe(400);
    expect(wrong.text).toContain("<img src=x>");
    // Once voice flows, the relay is killed by hand.
    await expect.poll(() => page.locator("#log-lines").textContent(), PATIENT).toContain("call active");
    await page.getByRole("button", { name: "Kill for 2 s: r1" }).click(PATIENT);
    await expect.poll(() => page.locator("#answer").textContent(), PATIENT).toContain("Done");
    await expect.poll(() => page.locator("#log-lines").textContent(), PATIENT).toContain("kill r1");
    await expect.poll(() => page.locator("html").getAttribute("data-over"), PATIENT).not.toBeNull();
    expect(complaints.filter((one) => !one.includes("403") && !one.includes("400"))).toEqual([]);
  } finally {
    await going.stop();
  }
  const run = join(folder, "out/baseline/netns-0x1");
  const scenario: Scenario = JSON.parse(await readFile(join(run, "scenario.json"), "utf8"));
  const { records } = readLog(await readFile(join(run, "run.ndjson"), "utf8"));
  const struck = records.filter((one) => one.ev === "fault");
  expect(struck.map((one) => [one.fault, one.kind, one.target, one.state])).toEqual([
    [0, "kill", "r1", "applied"],
    [0, "kill", "r1", "healed"],
  ]);
  expect(scenario.faults).toHaveLength(1);
  const [fault] = scenario.faults;
  expect(fault).toMatchObject({ kind: "kill", target: "r1", for: 2_000_000 });
  expect(fault?.when).toEqual({ at: struck[0]?.t });
  // What a person did, again, in virtual time.
  const again = await midcall(folder, ["run", join(run, "scenario.json"), "--codec", "sized", "--json"]);
  expect(JSON.parse(again.out).conditions[0]).toMatchObject({
    fault: "kill r1",
    observed: { processKilled: true, processRestarted: true },
  });
});

test.concurrent("a finished run can be watched again from its folder", async (context) => {
  const { expect } = context;
  // A folder of its own: the other test's run in virtual time may be at work in the usual one.
  const made = await midcall(folder, ["run", "baseline", "--codec", "sized", "--crypto", "null", "--out", "watched"]);
  expect(made.code, made.err).toBe(0);
  const going = await watching("watch", "watched/baseline/sim-0x1");
  try {
    const { page, complaints } = await wanted(context).open(`${going.url}`);
    await page.waitForSelector("html[data-ready]", PATIENT);
    await page.locator("#speed").selectOption("1000", PATIENT);
    await page.waitForSelector("html[data-over=held]", PATIENT);
    expect(complaints).toEqual([]);
  } finally {
    await going.stop();
  }
});

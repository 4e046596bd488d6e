/** `npm run screenshots`: makes runs and takes the pictures of docs/pictures from their pages in Chromium, light and dark, wide and narrow. */
import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { testBrowser } from "../cli/browser.fixture.ts";

const ROOT = join(import.meta.dirname, "..");
const PICTURES = join(ROOT, "docs/pictures");
const MIDCALL = join(ROOT, "cli/midcall.mjs");
const folder = await mkdtemp(join(tmpdir(), "midcall-screenshots-"));
const midcall = (...words: string[]): void => {
  try {
    execFileSync(process.execPath, [MIDCALL, ...words], { cwd: folder, stdio: "ignore" });
  } catch {
    // A twin is broken: that is what is photographed.
  }
};
midcall("run", "relay-restart");
midcall("run", "relay-restart", "--twin");
midcall("run", "relay-restart", "--twin", "--seed", "2");
for (const buffer of ["ema", "neteq"])
  midcall(
    "run",
    "ringrtc-bursty-loss",
    "--codec",
    "sized",
    "--crypto",
    "null",
    "--repeat",
    "10",
    "--out",
    buffer,
    "--set",
    `jitterBuffer=${buffer}`,
  );
midcall("compare", "ema", "neteq", "--html", "compare.html");
// A campaign of which a few seeds do not hold.
await writeFile(
  join(folder, "tunnel.ts"),
  `import { blackout, expectConnect, expectLongestGap, expectSameCall, kill, scenario } from "midcall";
export default scenario({
  name: "tunnel",
  asks: "How long is the silence when a tunnel and a relay restart come together?",
  duration: "15s",
  parties: { alice: { link: "lte-move", nat: "cgnat" }, bob: { nat: "home" }, r1: { role: "relay" } },
  faults: [blackout("alice", { at: "5s", for: "800ms" }), kill("r1", { at: "5.4s", for: "1500ms" })],
  expect: [expectConnect(), expectSameCall(), expectLongestGap({ max: "2.1s" })],
});
`,
);
midcall(
  "run",
  ...["./tunnel.ts", "relay-restart", "nat-rebind", "blackout", "burst-loss", "ringrtc-bursty-loss"],
  ...["--codec", "sized", "--crypto", "null", "--repeat", "10", "--out", "many"],
);

/** The page of a run that goes on, as soon as it has an address. */
const live = spawn(process.execPath, [MIDCALL, "run", "relay-restart", "--watch"], {
  cwd: folder,
  stdio: ["ignore", "ignore", "pipe"],
});
const address = await new Promise<string>((resolve) => {
  let said = "";
  live.stderr.on("data", (chunk) => {
    said += String(chunk);
    const url = /watch: (http:\S+)/.exec(said)?.[1];
    if (url !== undefined) resolve(url);
  });
});

const fileOf = (path: string): string => pathToFileURL(join(folder, path)).href;
const browser = await testBrowser();
if (browser === undefined) throw new Error("there is no /usr/bin/chromium; to get it: apt-get install -y chromium");
for (const colorScheme of ["light", "dark"] as const)
  for (const width of [1_280, 400]) {
    const picture = { type: "jpeg", quality: 70 } as const;
    const options = { colorScheme, viewport: { width, height: width === 400 ? 1_100 : 1_000 } };
    const path = (name: string): string => join(PICTURES, `${name}-${colorScheme}-${width}.jpg`);
    const report = await browser.open(fileOf("out/relay-restart/sim-twin-0x2/report.html"), options);
    await report.page.waitForSelector("html[data-ready]");
    await report.page.screenshot({ ...picture, path: path("report") });
    const compared = await browser.open(fileOf("compare.html"), options);
    await compared.page.screenshot({ ...picture, path: path("compare") });
    const campaign = await browser.open(fileOf("many/campaigns/run-0x1/campaign.html"), options);
    await campaign.page.waitForSelector("html[data-ready]");
    await campaign.page.screenshot({ ...picture, path: path("campaign") });
    const watched = await browser.open(address, options);
    await watched.page.waitForSelector("html[data-ready]", { timeout: 60_000 });
    await watched.page.waitForSelector("#active li", { timeout: 60_000 });
    await watched.page.screenshot({ ...picture, path: path("live") });
    await watched.page.close();
  }
// The parts that docs/reading-a-report.md explains.
const { page } = await browser.open(fileOf("out/relay-restart/sim-twin-0x2/report.html"));
await page.waitForSelector("html[data-ready]");
for (const [name, selector] of [
  ["part-header", "header"],
  ["part-timeline", "#plot"],
  ["part-log", ".log-section"],
  ["part-topology", ".topology"],
] as const)
  await page.locator(selector).screenshot({ type: "jpeg", quality: 70, path: join(PICTURES, `${name}.jpg`) });
await browser.close();
live.kill("SIGINT");
await rm(folder, { recursive: true, force: true });

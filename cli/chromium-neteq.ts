/**
 * Chromium as a sender and a receiver over the listed relay on loopback, by the wall clock: the live half of `midcall bench neteq`. A busy machine is jitter to it, so it and the
 * relay go before all ordinary work, and what held a run up all the same is measured beside it.
 */
import { access, constants, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import type { LaunchOptions, Page } from "playwright-core";
import { FRAME_MICROS, FRAME_SAMPLES, GOOD } from "../impl/core/codec.ts";
import { putBack, putFirst } from "../netns/precedence.ts";
import { CliError } from "./exit.ts";
import { isHeldUp, Lateness, type LatenessFigure } from "./lateness.ts";
import { type InboundAudio, NETEQ_PAGE, type PagePlan, type Pull } from "./neteq-page.ts";
import { type Line, type Listened, listened, MEASURED, SETTLING, type Trial, trialOf } from "./neteq-trial.ts";
import { listedRelay } from "./udp-relay.ts";

/** How often a line that the machine holds up is tried. chosen: a machine that holds it up three times will again. */
const TRIES = 3;
const PROGRAM = "/usr/bin/chromium";

/** What Chromium made of a line with one seed, and how late the machine was: with packets behind the relay, and with asking NetEq for audio. */
export type ChromiumFigure = Listened & {
  readonly link: string;
  readonly mode: string;
  readonly seed: number;
  readonly sentLate: LatenessFigure;
  readonly askedLate: LatenessFigure;
};

/** `chromium`: its version. `heldUp`: runs that do not count. */
export type ChromiumHeard = {
  readonly chromium: string;
  readonly figures: readonly ChromiumFigure[];
  readonly heldUp: readonly ChromiumFigure[];
};
type Heard = Listened & Pick<ChromiumFigure, "sentLate" | "askedLate">;
/** A call that is set up and waits; `listen` lets the list have its way with it. */
type Call = { listen(): Promise<Heard>; end(): void };
type Browser = {
  readonly version: string;
  call(page: Page, trial: Trial): Promise<Call>;
  page(): Promise<Page>;
  close(): Promise<void>;
};

/** A Chromium that sends RED as deep as told. Throws a CliError (exit code 5) where there is none. */
async function browserOf(red: number, signal: AbortSignal): Promise<Browser> {
  try {
    await access(PROGRAM, constants.X_OK);
  } catch (error) {
    throw new CliError("lacking", "bench neteq needs Chromium; to get it: apt-get install chromium", error);
  }
  const { chromium } = await import("playwright-core").catch((error: unknown) => {
    throw new CliError("lacking", "bench neteq needs playwright-core; to get it: npm install playwright-core", error);
  });
  const home = await mkdtemp(join(tmpdir(), "midcall-neteq-"));
  const forget = (): Promise<void> => rm(home, { recursive: true, force: true });
  const options: LaunchOptions = {
    executablePath: PROGRAM,
    headless: true,
    args: [
      ...[
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
      ...["--disable-features=WebRtcHideLocalIpsWithMdns", "--allow-loopback-in-peer-connection"],
      ...["--autoplay-policy=no-user-gesture-required", "--host-resolver-rules=MAP * ~NOTFOUND"],
      ...(red > 1 ? [`--force-fieldtrials=WebRTC-Audio-Red-For-Opus/Enabled-${red}/`] : []),
    ],
    env: { ...process.env, HOME: home },
  };
  const browser = await chromium.launch(options).catch(async (error: unknown) => {
    await forget();
    throw error;
  });
  return {
    version: browser.version(),
    page: () => browser.newPage(),
    call: async (page, { mode, pcm, delays, measured }) => {
      const relay = await listedRelay();
      await page.goto("about:blank"); // which ends the call before
      await page.evaluate(NETEQ_PAGE);
      const speech = Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength).toString("base64");
      const plan: PagePlan = { speech, ...relay.ports, lbrr: mode.lbrr, red: mode.red > 0, bitrate: GOOD.bitrate };
      await page.evaluate(`neteq.connect(${JSON.stringify(plan)})`);
      const stats = async (): Promise<InboundAudio> => (await page.evaluate("neteq.stats()")) as InboundAudio;
      const listen = async (): Promise<Heard> => {
        relay.apply(delays);
        await page.evaluate("neteq.watch()");
        await after(SETTLING / 1_000, undefined, { signal });
        const before = await stats();
        await after(measured / 1_000, undefined, { signal });
        const got = await stats();
        if (got.packetsReceived - before.packetsReceived < 10) throw new Error("no media came through the relay");
        const asked = new Lateness();
        for (const [at, samples] of (await page.evaluate("neteq.pulls()")) as readonly Pull[])
          asked.observe(1_000 * at, 1_000 * at - (samples * FRAME_MICROS) / FRAME_SAMPLES);
        return { ...listened(got, before), sentLate: relay.lateness.figure, askedLate: asked.figure };
      };
      return { listen, end: relay.close };
    },
    close: async () => {
      await browser.close();
      await forget();
    },
  };
}

/** One line of text about a run that does not count. */
export const heldUpLine = ({ link, mode, seed, sentLate, askedLate, concealed, delayMs }: ChromiumFigure): string =>
  `${link}, ${mode}, seed ${seed}: the machine held it up: packets left the relay up to ${sentLate.usualMs.toFixed(0)} ms late in 19 of 20 half seconds and ${sentLate.worstMs.toFixed(0)} ms at worst, ` +
  `audio was asked for ${askedLate.usualMs.toFixed(0)} and ${askedLate.worstMs.toFixed(0)} ms late; not counted: ${concealed.toFixed(2)} %, ${delayMs.toFixed(0)} ms`;

/** Lines by the wall clock, `atOnce` of them in one browser; a line that the machine held up is repeated. */
export async function chromiumNeteq(
  lines: readonly Line[],
  pcm: Int16Array,
  {
    stage,
    signal,
    atOnce = 1,
    goesFirst = true,
    measured = MEASURED,
    each,
  }: {
    readonly stage: (name: string) => void;
    readonly signal: AbortSignal;
    readonly atOnce?: number;
    /** Before all ordinary work of the machine. */
    readonly goesFirst?: boolean;
    readonly measured?: number;
    /** Hears all there is after every batch, so that whatever ends the rest takes nothing away. */
    readonly each?: (heard: ChromiumHeard) => void;
  },
): Promise<ChromiumHeard> {
  const figures: ChromiumFigure[] = [];
  const heldUp: ChromiumFigure[] = [];
  let chromium = "";
  const due: Line[] = [];
  const judge = (line: Line, heard: Heard): void => {
    const figure: ChromiumFigure = { link: line.link.name, mode: line.mode.name, seed: line.seed, ...heard };
    if (!isHeldUp(heard.sentLate) && !isHeldUp(heard.askedLate)) {
      figures.push(figure);
      return;
    }
    heldUp.push(figure);
    stage(heldUpLine(figure));
    const tries = heldUp.filter(({ link, mode, seed }) => link === figure.link && mode === figure.mode && seed === line.seed);
    if (tries.length < TRIES) due.push(line);
  };
  for (const own of Map.groupBy(lines, (one) => one.mode).values()) {
    due.push(...own);
    if (goesFirst) await putFirst(process.pid); // which the browser inherits
    try {
      const browser = await browserOf(own[0]?.mode.red ?? 0, signal);
      chromium = browser.version;
      try {
        const pages = await Promise.all(Array.from({ length: Math.min(atOnce, due.length) }, () => browser.page()));
        // All of a batch are set up before any of them is listened to: a page that loads keeps the others waiting.
        for (let batch = due.splice(0, atOnce); batch.length > 0; batch = due.splice(0, atOnce)) {
          signal.throwIfAborted();
          const calls: Call[] = [];
          try {
            for (const [i, line] of batch.entries())
              calls.push(await browser.call(pages[i] as Page, trialOf(line, pcm, measured)));
            stage(batch.map(({ link, mode, seed }) => `${link.name}, ${mode.name}, seed ${seed}: NetEq`).join("; "));
            const all = await Promise.all(calls.map((call) => call.listen()));
            for (const [i, heard] of all.entries()) judge(batch[i] as Line, heard);
            each?.({ chromium, figures, heldUp });
          } finally {
            for (const call of calls) call.end();
          }
        }
      } finally {
        await browser.close();
      }
    } finally {
      if (goesFirst) await putBack(process.pid);
    }
  }
  return { chromium, figures, heldUp };
}

/** A real Chromium for tests of the pages: Debian's, headless, without any network but loopback, that remembers every complaint. */
import { access, constants, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** Debian's. */
const PROGRAM = "/usr/bin/chromium";

export type Opened = {
  readonly page: Page;
  readonly complaints: readonly string[];
  /** What the page's main thread has had of a processor since it was made, in milliseconds; only of a page that was opened to be `measured`. */
  processorMs(): Promise<number>;
};

export type TestBrowser = {
  /** A page with a context of its own; `complaints`: errors of scripts, of the security policy and of loading, as they come. `first`: a script to run in it before its own. */
  open(url: string, options?: BrowserContextOptions & { readonly measured?: boolean; readonly first?: string }): Promise<Opened>;
  close(): Promise<void>;
};

/** Undefined when there is no Chromium. */
export async function testBrowser(): Promise<TestBrowser | undefined> {
  try {
    await access(PROGRAM, constants.X_OK);
  } catch {
    return undefined;
  }
  const home = await mkdtemp(join(tmpdir(), "midcall-chromium-"));
  const browser: Browser = await chromium.launch({
    executablePath: PROGRAM,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
    env: { ...process.env, HOME: home },
  });
  const contexts: BrowserContext[] = [];
  return {
    async open(url, { measured = false, first, ...options } = {}) {
      const context = await browser.newContext({ viewport: { width: 1_280, height: 900 }, ...options });
      contexts.push(context);
      const page = await context.newPage();
      if (first !== undefined) await page.addInitScript(first);
      const complaints: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
      });
      page.on("pageerror", (error) => complaints.push(String(error)));
      // A player ends its own request as soon as it knows how long a recording is.
      page.on("requestfailed", (request) => {
        if (request.failure()?.errorText !== "net::ERR_ABORTED")
          complaints.push(`${request.url()}: ${request.failure()?.errorText}`);
      });
      const tools = measured ? await context.newCDPSession(page) : undefined;
      // The thread's own time and not that of the wall (Chrome DevTools Protocol, Performance.enable).
      await tools?.send("Performance.enable", { timeDomain: "threadTicks" });
      await page.goto(url);
      return {
        page,
        complaints,
        async processorMs() {
          const { metrics = [] } = (await tools?.send("Performance.getMetrics")) ?? {};
          const taken = metrics.find(({ name }) => name === "TaskDuration")?.value;
          if (taken === undefined) throw new Error("the page was not opened to be measured");
          return taken * 1_000;
        },
      };
    },
    async close() {
      for (const context of contexts) await context.close();
      await browser.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

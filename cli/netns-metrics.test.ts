/** A run on a real kernel, scraped while it lasts: what the port said last is what the run's own log comes to. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { lacks } from "../netns/install.ts";
import { midcall, type Said } from "./recorded-terminal.fixture.ts";
import { lacksPrometheus, scrapedRun } from "./scraped-run.fixture.ts";

const missing = [
  ...(await lacks()).map((lack) => `${lack.what}${lack.command === null ? "" : ` (${lack.command})`}`),
  ...[await lacksPrometheus()].filter(Boolean),
].join("; ");

test("all parties of a namespace run are scraped live from one port, under the name that the run's metrics.om has", async (context) => {
  if (missing !== "") context.skip(missing);
  const folder = await mkdtemp(join(tmpdir(), "midcall-live-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  let last = "";
  const seen = new Set<string>();
  const look = async (port: number): Promise<Said> => {
    let over: Said | undefined;
    const words = ["run", "blackout", "--lab", "netns", "--json", "--metrics", `127.0.0.1:${port}`];
    const running = midcall(folder, words).then((said) => {
      over = said;
    });
    while (over === undefined) {
      const text = await fetch(`http://127.0.0.1:${port}/metrics`).then(
        (response) => response.text(),
        () => "",
      );
      if (text !== "") last = text;
      for (const [, party, state] of text.matchAll(/^midcall_client_call_state\{party="(\w+)",state="(\w+)",run="[^"]*"\} 1$/gm))
        seen.add(`${party} ${state}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await running;
    return over;
  };
  const scraped = await scrapedRun(join(folder, "prometheus"), ({ port }) => look(port));
  onTestFinished(() => scraped.close());
  expect([0, 1, 3], scraped.ended.err).toContain(scraped.ended.code);
  expect(seen).toContain("alice active");
  expect(seen).toContain("bob active");
  const value = (name: string, labels: string): number | undefined => {
    const line = last.split("\n").find((one) => one.startsWith(`${name}{${labels},run="blackout/netns-0x1"}`));
    return line === undefined ? undefined : Number(line.split(" ").at(-1));
  };
  expect(value("midcall_process_starts_total", 'party="r1"')).toBe(1);
  expect(last).toMatch(/^midcall_faults_applied_total\{fault="0: [^"]+",run="blackout\/netns-0x1"\} 1$/m);
  // What was scraped last is not more than what the whole log came to, and is most of it.
  const whole = await readFile(join(folder, "out/latest/metrics.om"), "utf8");
  const total = [...whole.matchAll(/^midcall_client_sent_frames_total\{run="blackout\/netns-0x1",party="alice"\} (\d+) /gm)].at(
    -1,
  )?.[1];
  const frames = value("midcall_client_sent_frames_total", 'party="alice"') ?? 0;
  expect(frames).toBeLessThanOrEqual(Number(total));
  expect(frames).toBeGreaterThan(Number(total) / 2);
  // A real Prometheus at the same port has them as they grew.
  const grew = (await scraped.over('midcall_client_sent_frames_total{run="blackout/netns-0x1"}')).get("alice")?.samples ?? [];
  const values = grew.map(([, count]) => count);
  expect(values).toEqual(values.toSorted((a, b) => a - b));
  expect(new Set(values).size).toBeGreaterThan(2);
  expect(values.at(-1)).toBeLessThanOrEqual(Number(total));
});

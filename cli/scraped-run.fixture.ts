/** A run on a real kernel with a real Prometheus at its heels: what that had of it when it was over. */
import { createServer } from "node:net";
import { type Answer, type Prometheus, startPrometheus } from "../dashboards/prometheus.ts";
import { LIVE_RUN } from "../dashboards/prometheus-config.ts";
import { examine } from "./doctor.ts";
import type { HostPort } from "./socket-address.ts";

/** What a machine lacks for it; empty: nothing. */
export const lacksPrometheus = async (): Promise<string> =>
  (await examine())
    .filter((check) => check.for === "dashboards" && !check.ok)
    .map((check) => `${check.part}: ${check.detail}`)
    .join("; ");

/** A TCP port of loopback that nobody has. */
const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const bound = server.address();
      server.close(() => resolve(bound !== null && typeof bound === "object" ? bound.port : 0));
    });
  });

/** What a run ended with, and how the series of `name` went meanwhile, a value a second, by party. */
export type ScrapedRun<T> = {
  readonly ended: T;
  over(name: string): Promise<ReadonlyMap<string, Answer>>;
  close(): Promise<void>;
};

/** `run` serves its metrics where it is told. `data`: a folder for Prometheus. */
export async function scrapedRun<T>(data: string, run: (metrics: HostPort) => Promise<T>): Promise<ScrapedRun<T>> {
  const port = await freePort();
  const prometheus: Prometheus = await startPrometheus(data, [{ address: `127.0.0.1:${port}`, run: LIVE_RUN }]);
  const began = Math.floor(Date.now() / 1_000);
  try {
    const ended = await run({ host: "127.0.0.1", port });
    const over = Math.ceil(Date.now() / 1_000);
    return {
      ended,
      over: async (name) => {
        const asked = await prometheus.over(name, began, over, 1);
        return new Map(asked.ok ? asked.series.map((one) => [one.labels.get("party") ?? "", one]) : []);
      },
      close: prometheus.close,
    };
  } catch (error) {
    await prometheus.close();
    throw error;
  }
}

/** The grids of `midcall bench fec --grid` and `bench jitter --grid`: their links in parallel threads, and what is written of them. */
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { standaloneSvg } from "../reports/drawing.ts";
import { MODULE_EXTENSION } from "./version.ts";

/** What a grid's thread is asked: one link of it, by name. */
export type GridOrder = { readonly bench: "fec" | "jitter"; readonly link: string; readonly seeds?: number };
/** What it says: the figures of that link, or the text of an exception. */
export type GridAnswer<T> = { readonly figures: readonly T[] } | { readonly threw: string };

/** Figures of all `links` in their order, made in so many threads. Rejects when one throws, or when `signal` is aborted; no thread is left. */
export async function gridInThreads<T>(
  order: Omit<GridOrder, "link">,
  links: readonly string[],
  watch: { readonly threads: number; readonly signal: AbortSignal; done(link: string, of: number): void },
): Promise<readonly T[]> {
  const found = new Map<string, readonly T[]>();
  let next = 0;
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL(`./bench-grid-worker${MODULE_EXTENSION}`, import.meta.url));
    try {
      for (let link = links[next++]; link !== undefined; link = links[next++]) {
        const answer = await asked<T>(worker, { ...order, link }, watch.signal);
        if ("threw" in answer) throw new Error(`${link}: ${answer.threw}`);
        found.set(link, answer.figures);
        watch.done(link, found.size);
      }
    } finally {
      await worker.terminate();
    }
  };
  // All of them, whatever becomes of one: none outlives the call.
  const ends = await Promise.allSettled(Array.from({ length: Math.min(watch.threads, links.length) }, work));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return links.flatMap((link) => found.get(link) ?? []);
}

const asked = <T>(worker: Worker, order: GridOrder, signal: AbortSignal): Promise<GridAnswer<T>> =>
  new Promise((answered, failed) => {
    const finish = (): void => {
      worker.off("message", hear);
      worker.off("error", fail);
      signal.removeEventListener("abort", stop);
    };
    const hear = (answer: GridAnswer<T>): void => {
      finish();
      answered(answer);
    };
    const fail = (error: unknown): void => {
      finish();
      failed(error);
    };
    const stop = (): void => fail(new Error("interrupted"));
    worker.on("message", hear);
    worker.on("error", fail);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    else worker.postMessage(order);
  });

/** Writes `files` and the `drawings` as SVG into `dir`, which is made; its path, for the reader. */
export async function writeBench(
  dir: string,
  files: ReadonlyMap<string, string>,
  drawings: ReadonlyMap<string, string>,
): Promise<string> {
  const folder = resolve(dir);
  await mkdir(join(folder, "svg"), { recursive: true });
  for (const [name, text] of files) await writeFile(join(folder, name), text);
  for (const [name, svg] of drawings) await writeFile(join(folder, "svg", `${name}.svg`), standaloneSvg(svg));
  return folder;
}

/** `midcall` for tests: in the test's own process on a terminal that remembers what it was told, or as a process. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { Readable } from "node:stream";
import { plain } from "../reports/pretty.ts";
import { program } from "./program.ts";
import type { Terminal } from "./terminal.ts";

export type Said = { readonly code: number; readonly out: string; readonly err: string; readonly stages: readonly string[] };

/** Runs one command line in `folder` and returns its exit code and everything it said; `typed` is what its user types, `watch` is told of each stage. */
export async function midcall(
  folder: string,
  words: readonly string[],
  signal?: AbortSignal,
  typed = "",
  watch: (stage: string) => void = () => undefined,
): Promise<Said> {
  const out: string[] = [];
  const err: string[] = [];
  const stages: string[] = [];
  const terminal: Terminal = {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    progress: ({ stage }) => {
      stages.push(stage);
      watch(stage);
    },
    notice: () => undefined,
    isLive: false,
    columns: undefined,
    quiet: () => undefined,
    input: Readable.from([typed]),
    paint: plain,
    folder,
    interrupted: signal ?? new AbortController().signal,
  };
  const code = await program(words, terminal);
  return { code, out: out.join("\n"), err: err.join("\n"), stages };
}

/** Runs the executable itself in `folder`. `stop`: a signal, sent as soon as the process has said `after` on either stream. */
export function midcallProcess(
  folder: string,
  words: readonly string[],
  options: {
    readonly env?: NodeJS.ProcessEnv;
    readonly node?: readonly string[];
    readonly stop?: { signal: NodeJS.Signals; after: string };
  } = {},
): Promise<Omit<Said, "stages">> {
  const executable = join(import.meta.dirname, "midcall.mjs");
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...(options.node ?? []), executable, ...words], {
      cwd: folder,
      env: { ...process.env, NO_COLOR: "1", ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    let err = "";
    let stopped = false;
    const look = (): void => {
      if (stopped || options.stop === undefined || !(out + err).includes(options.stop.after)) return;
      stopped = true;
      child.kill(options.stop.signal);
    };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      look();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text;
      look();
    });
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({ code: code ?? -1, out: out.trimEnd(), err: signal === null ? err.trimEnd() : `killed by ${signal}` }),
    );
  });
}

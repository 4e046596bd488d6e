/** A terminal that remembers what it was told, and `midcall` run on it inside the test's own process. */
import { plain } from "../reports/pretty.ts";
import { program } from "./program.ts";
import type { Terminal } from "./terminal.ts";

export type Said = { readonly code: number; readonly out: string; readonly err: string; readonly stages: readonly string[] };

/** Runs one command line in `folder` and returns its exit code and everything it said. */
export async function midcall(folder: string, words: readonly string[], signal?: AbortSignal): Promise<Said> {
  const out: string[] = [];
  const err: string[] = [];
  const stages: string[] = [];
  const terminal: Terminal = {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    progress: ({ stage }) => void stages.push(stage),
    quiet: () => undefined,
    paint: plain,
    folder,
    interrupted: signal ?? new AbortController().signal,
  };
  const code = await program(words, terminal);
  return { code, out: out.join("\n"), err: err.join("\n"), stages };
}

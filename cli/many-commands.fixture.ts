/**
 * `midcall` many times in one process for tests: a command line a line of standard input, as JSON, and what it said a line of standard output. A file of the user's is
 * then loaded by Node.js itself, as it is for them, without a process for every command. Started as `node many-commands.fixture.ts FOLDER`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { midcall, type Said } from "./recorded-terminal.fixture.ts";

export type ManyCommands = {
  /** One command line after the other. */
  run(words: readonly string[]): Promise<Said>;
  close(): Promise<void>;
};

/** A process whose commands run in `folder`. */
export function manyCommands(folder: string): ManyCommands {
  const child = spawn(process.execPath, [import.meta.filename, folder], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    async run(words) {
      child.stdin.write(`${JSON.stringify(words)}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`the process ended under: midcall ${words.join(" ")}`);
      return JSON.parse(value) as Said;
    },
    async close() {
      const gone = once(child, "exit");
      child.stdin.end();
      await gone;
    },
  };
}

const [, started, folder] = process.argv;
if (started === import.meta.filename && folder !== undefined) {
  for await (const line of createInterface(process.stdin))
    process.stdout.write(`${JSON.stringify(await midcall(folder, JSON.parse(line)))}\n`);
  process.exit();
}

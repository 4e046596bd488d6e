/** Where a command writes, so that tests run commands in this process and read what they say. */
import { constants } from "node:os";
import { createLogUpdate } from "log-update";
import { printable } from "../reports/escape.ts";
import { ansi, type Paint, plain } from "../reports/pretty.ts";
import { noticeLine, type Progress, progressLine } from "./terminal-lines.ts";

export type Terminal = {
  /** Results: one or more lines; the line feed is added. */
  out(text: string): void;
  /** Everything that is not the result; the line feed is added. */
  err(text: string): void;
  /** What is being done now: replaces the last such line on a TTY, is a line of its own (at stage changes only) elsewhere. */
  progress(now: Progress): void;
  /** What happened just now: on a TTY the last few stand above the progress line, elsewhere each is a line. */
  notice(lines: readonly string[]): void;
  /** Whether what is shown is drawn anew in place. */
  readonly isLive: boolean;
  /** Removes the progress line. */
  quiet(): void;
  /** What the user types, for the commands that ask. */
  readonly input: NodeJS.ReadableStream;
  /** Columns of what results are written to; undefined where that is no terminal. */
  readonly columns: number | undefined;
  /** Colours a text, or leaves it as it is where colours are not wanted (no TTY, NO_COLOR). */
  readonly paint: Paint;
  /** Folder that relative paths of the command line start from. */
  readonly folder: string;
  /** Gives the command so many milliseconds more to end by itself after a signal. */
  grant?(ms: number): void;
  /** Aborted when the user interrupts: commands stop and clean up. Its reason may be the exit code, 128 + the signal's number. */
  readonly interrupted: AbortSignal;
};

/** Time to clean up after a signal. chosen: longer than a relay or client needs to say goodbye, shorter than a CI system's patience. */
const TIDY_MS = 5_000;

/** Lines above the progress line. chosen: a glance. */
const RECENT = 8;

/** What is written as it is keeps line feeds, tabs and colours, whatever its words came from. */
const shown = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  text.replace(/(\u001b\[\d*m)|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (_, colour: string | undefined) => colour ?? "?");

/** The terminal of this process. Owns SIGINT, SIGTERM and SIGHUP from now on; a second signal ends the process at once. */
export function processTerminal(): Terminal {
  const live = process.stderr.isTTY === true;
  const view = createLogUpdate(process.stderr);
  let recent: readonly string[] = [];
  let bottom: Progress | undefined;
  let stage = "";
  const draw = (): void => {
    // Of a window that has grown narrow too: each drawing asks again.
    const columns = (process.stderr.columns ?? 80) - 1;
    const lines = recent.map((line) => noticeLine(printable(line), columns));
    if (bottom !== undefined)
      lines.push(progressLine({ ...bottom, stage: printable(bottom.stage), detail: printable(bottom.detail ?? "") }, columns));
    view(lines.join("\n"));
  };
  const clear = (): void => {
    if (bottom !== undefined) view.clear();
    bottom = undefined;
    recent = [];
  };
  const controller = new AbortController();
  let first = 0;
  let ending = (): void => undefined;
  let limit: NodeJS.Timeout | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    const code = 128 + constants.signals[signal];
    // A launcher and the terminal may both deliver one Ctrl-C: what comes within half a second is the same one.
    const end = (why: string): never => {
      process.stderr.write(`midcall: ${why}\n`);
      process.exit(code);
    };
    if (first !== 0 && performance.now() - first > 500) end(`ended by a second ${signal}`);
    if (first !== 0) return;
    first = performance.now();
    controller.abort(code);
    // What does not stop by itself by then is stopped: a tidy end matters less than an end.
    ending = () => end(`ended by ${signal}: it had not ended by itself in time`);
    limit = setTimeout(ending, TIDY_MS).unref();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  return {
    out(text) {
      clear();
      process.stdout.write(`${shown(text)}\n`);
    },
    err(text) {
      clear();
      process.stderr.write(`${shown(text)}\n`);
    },
    progress(now) {
      if (live) {
        if (now.stage !== stage) recent = [];
        bottom = now;
        draw();
      } else if (now.stage !== stage) {
        process.stderr.write(`${printable(now.stage)}\n`);
      }
      stage = now.stage;
    },
    notice(lines) {
      if (!live) return void process.stderr.write(lines.map((line) => `${printable(line)}\n`).join(""));
      recent = [...recent, ...lines].slice(-RECENT);
      draw();
    },
    isLive: live,
    quiet: clear,
    // hasColors knows NO_COLOR and FORCE_COLOR.
    paint: process.stdout.isTTY === true && process.stdout.hasColors() ? ansi : plain,
    input: process.stdin,
    get columns() {
      return process.stdout.isTTY === true ? process.stdout.columns : undefined;
    },
    folder: process.cwd(),
    grant: (ms) => {
      clearTimeout(limit);
      limit = setTimeout(ending, ms + TIDY_MS).unref();
    },
    interrupted: controller.signal,
  };
}

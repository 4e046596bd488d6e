/**
 * Shells that wait inside the run's network namespaces for what a fault asks of the kernel. A fault is to be in force within milliseconds of its time: a new process
 * for each command costs tens of them on a busy machine, so these are there before, go first (sched(7)), and do in one piece what belongs together.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { commandFailure, PATIENCE } from "./command.ts";
import { RANKS } from "./precedence.ts";

/** Runs a script for `sh -e` where it waits; resolves with its standard output. Rejects with NetnsError. One script after the other. */
export type Shell = (script: string) => Promise<string>;

export type Shells = {
  /** The shell of a namespace, as `ip netns` knows it; started when it is first asked for. */
  in(namespace: string): Shell;
  /** Ends all of them once they have done what they were asked; safe to call twice. */
  close(): Promise<void>;
};

/** Among the parties, for it and what it starts; where that is refused, niceness. */
const FIRST = `chrt --rr --pid ${RANKS.party} $$ >/dev/null 2>&1 || renice -n -15 -p $$ >/dev/null 2>&1\n`;
/** Ends what one script has printed, on either stream. */
const MARK = "\u0004midcall:";

export function openShells(): Shells {
  const shells = new Map<string, { readonly run: Shell; close(): Promise<void> }>();
  return {
    in(namespace) {
      const open = shells.get(namespace) ?? openShell(namespace);
      shells.set(namespace, open);
      return open.run;
    },
    close: async () => {
      await Promise.all([...shells.values()].map((one) => one.close()));
    },
  };
}

function openShell(namespace: string): { readonly run: Shell; close(): Promise<void> } {
  const child = spawn("ip", ["netns", "exec", namespace, "sh"], { stdio: "pipe" });
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", () => resolve());
  });
  child.stdin.on("error", () => {}); // it has ended: told below
  child.stdout.setEncoding("utf8");
  child.stderr.setEncoding("utf8");
  child.stdin.write(FIRST);
  let before: Promise<unknown> = Promise.resolve();
  return {
    run: (script) => {
      const mine = before.then(() => one(namespace, child, script, ended));
      before = mine.catch(() => undefined);
      return mine;
    },
    close: async () => {
      await before;
      child.stdin.end();
      await ended;
    },
  };
}

async function one(
  namespace: string,
  child: ChildProcessWithoutNullStreams,
  script: string,
  ended: Promise<void>,
): Promise<string> {
  const output = until(child.stdout);
  const errors = until(child.stderr);
  child.stdin.write(`( set -e\n${script}\n) </dev/null\ns=$?\nprintf '${MARK}%d\\n' $s\nprintf '${MARK}%d\\n' $s >&2\n`);
  const stuck = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
  const said = await Promise.race([Promise.all([output.text, errors.text]), ended.then(() => undefined)]);
  clearTimeout(stuck);
  if (said !== undefined && said[0].status === 0) return said[0].text;
  output.stop();
  errors.stop();
  const reason = said === undefined ? `the shell has ended: ${errors.soFar()}` : said[1].text.trim();
  throw commandFailure(`ip netns exec ${namespace} sh`, reason, script);
}

/** What a stream says until the mark, and the status behind it. */
function until(stream: NodeJS.ReadableStream): {
  readonly text: Promise<{ text: string; status: number }>;
  soFar(): string;
  stop(): void;
} {
  let text = "";
  let stop = (): void => undefined;
  return {
    text: new Promise((resolve) => {
      const more = (piece: string): void => {
        text += piece;
        const end = text.indexOf(MARK);
        if (end < 0 || !text.endsWith("\n")) return;
        stop();
        resolve({ text: text.slice(0, end), status: Number(text.slice(end + MARK.length)) });
      };
      stop = () => stream.off("data", more);
      stream.on("data", more);
    }),
    soFar: () => text.trim(),
    stop: () => stop(),
  };
}

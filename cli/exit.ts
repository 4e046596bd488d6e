/** How the command ends: exit codes of docs/contract.md, and the one error that carries an ending up to `program.ts`. */

/** Process exit codes. Scripts are written against them. */
export const EXIT = {
  held: 0,
  broken: 1,
  usage: 2,
  inconclusive: 3,
  crashed: 4,
  lacking: 5,
  /** 128 + SIGINT, as shells report it. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The verdict of a run, also the name of its exit code. */
export type Verdict = "held" | "broken" | "inconclusive" | "crashed";

/** chosen: a crash hides everything else, a broken promise outweighs one that could not be judged. */
const WORST_FIRST: readonly Verdict[] = ["crashed", "broken", "inconclusive", "held"];

/** The exit code of several runs: that of the worst verdict; an empty list held. */
export const exitOf = (verdicts: readonly Verdict[]): ExitCode =>
  EXIT[WORST_FIRST.find((verdict) => verdicts.includes(verdict)) ?? "held"];

/** The command cannot go on, through no fault of ours; `message` is one line: what was wrong, and what would be right. */
export class CliError extends Error {
  readonly code: "usage" | "lacking";

  constructor(code: "usage" | "lacking", message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "CliError";
    this.code = code;
  }
}

/** The command line (or a file it names) is wrong: exit code 2. */
export const usage = (wrong: string, right: string): CliError => new CliError("usage", `${wrong}; ${right}`);

/** The machine lacks something: exit code 5. `command` gets it. */
export const lacking = (what: string, command: string, cause?: unknown): CliError =>
  new CliError("lacking", `${what}; to get it: ${command}`, cause);

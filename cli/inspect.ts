/**
 * `midcall run --until TIME --inspect` and `--step`: a run in virtual time, stopped at an instant and shown, then gone on with action by action.
 * No folder is made and nothing is judged: the run is not over.
 */
import { createInterface } from "node:readline";
import { inspect as inspectValue } from "node:util";
import type { LogRecord } from "../impl/base/record.ts";
import { Instant } from "../impl/base/units.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { formatTime, parseTime } from "../scenarios/time.ts";
import type { SimSession, SimView } from "../sim/lab.ts";
import { EXIT, type ExitCode, usage } from "./exit.ts";
import { openSimulation } from "./lab-job.ts";
import { formatSeed } from "./seed.ts";
import type { Terminal } from "./terminal.ts";
import { type Change, differences } from "./view-difference.ts";

export type InspectOptions = {
  readonly seed: number;
  readonly codec: "real" | "sized";
  readonly crypto: "real" | "null";
  /** Instant to stop at, microseconds; the scenario's end when undefined. */
  readonly until: number | undefined;
  readonly json: boolean;
  /** Go on action by action, as the terminal's input says. */
  readonly step: boolean;
};

/** Virtual time between looks at whether the user has interrupted. chosen: some 10 ms of computing. */
const LOOK_EVERY = 500_000;

const HELP = `  s [n]     the next n actions (1) that change anything; an empty line does the same
  l [n]     on to the n-th next line of the log
  to TIME   on to an instant, like: to 12.5s
  show [PLACE]   everything as it stands, or one place of it, like: show parties.alice.core.call
  q         end`;

export async function inspectRun(scenario: Scenario, options: InspectOptions, terminal: Terminal): Promise<ExitCode> {
  const until = options.until ?? scenario.duration;
  if (until > scenario.duration) {
    throw usage(
      `--until ${formatTime(until)}: ${scenario.name} ends at ${formatTime(scenario.duration)}`,
      "want an instant within the run, or --set duration=",
    );
  }
  const said: string[] = [];
  const session = await openSimulation({ ...options, scenario }, (_line: string, record: LogRecord) => said.push(tell(record)));
  terminal.progress({ stage: `${scenario.name} sim seed ${formatSeed(options.seed)} until ${formatTime(until)}` });
  advance(session, until, terminal);
  terminal.quiet();
  if (terminal.interrupted.aborted) return EXIT.interrupted;
  if (!options.step) {
    const view = session.view();
    terminal.out(options.json ? JSON.stringify(view, null, 2) : `${heading(scenario, options.seed, view)}\n${text(view)}`);
    return EXIT.held;
  }
  terminal.out(`${heading(scenario, options.seed, session.view())}\n${HELP}`);
  said.length = 0;
  await converse(session, scenario, said, terminal);
  return terminal.interrupted.aborted ? EXIT.interrupted : EXIT.held;
}

function advance(session: SimSession, until: number, { interrupted }: Terminal): void {
  for (let at: number = session.now; at < until && !interrupted.aborted; ) {
    at = Math.min(at + LOOK_EVERY, until);
    session.advance(Instant(at));
  }
}

async function converse(session: SimSession, scenario: Scenario, said: string[], terminal: Terminal): Promise<void> {
  let before = session.view();
  /** What happened since the last look, and the changes it made. */
  const look = (): void => {
    const after = session.view();
    terminal.out(
      [`-- ${instant(after.at)}`, ...said.splice(0), ...differences(bare(before), bare(after)).map(change)].join("\n"),
    );
    before = after;
  };
  /** Goes on until `enough`; false at the scenario's end. */
  const go = (enough: () => boolean): boolean => {
    while (!enough()) {
      if (terminal.interrupted.aborted || session.step(Instant(scenario.duration))) continue;
      terminal.out(`-- ${instant(session.now)}: the scenario is at its end`);
      return false;
    }
    return true;
  };
  const lines = createInterface({ input: terminal.input, signal: terminal.interrupted });
  for await (const line of lines) {
    const [word = "s", argument] = line.trim() === "" ? [] : line.trim().split(/\s+/, 2);
    const count = argument === undefined ? 1 : Number(argument);
    if (word === "q") break;
    if ((word === "s" || word === "l") && !(Number.isSafeInteger(count) && count > 0)) {
      terminal.out(`${word} ${argument}: want a whole number from 1`);
    } else if (word === "s") {
      for (let i = 0; i < count; i++) {
        const from = said.length;
        if (!go(() => said.length > from || differences(bare(before), bare(session.view())).length > 0)) break;
        look();
      }
    } else if (word === "l") {
      go(() => said.length >= count);
      look();
    } else if (word === "to") {
      const when = parseTime(argument ?? "");
      if (when === undefined || when < session.now || when > scenario.duration)
        terminal.out(`to ${argument ?? ""}: want an instant from ${instant(session.now)} to ${instant(scenario.duration)}`);
      else {
        advance(session, when, terminal);
        look();
      }
    } else if (word === "show") {
      const found = at(session.view(), argument);
      terminal.out(found === undefined ? `show ${argument}: there is no such place` : text(found));
    } else terminal.out(`${word}: want one of\n${HELP}`);
  }
}

/** Without the clock, which every action moves. */
const bare = ({ at: _at, ...rest }: SimView): Omit<SimView, "at"> => rest;

function at(view: SimView, place: string | undefined): unknown {
  const steps = (place ?? "")
    .replace(/\[(\d+)\]/g, ".$1")
    .split(".")
    .filter((step) => step !== "");
  let found: unknown = view;
  for (const step of steps) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, step)) return undefined;
    found = (found as Record<string, unknown>)[step];
  }
  return found;
}

const heading = (scenario: Scenario, seed: number, view: SimView): string =>
  `${scenario.name}, seed ${formatSeed(seed)}, at ${instant(view.at)}; instants and lengths in microseconds`;
const text = (value: unknown): string =>
  inspectValue(value, { depth: null, maxArrayLength: null, maxStringLength: null, breakLength: 140, compact: 4 });
const instant = (micros: number): string => `${(micros / 1e6).toFixed(6)} s`;
const tell = ({ t, who, ...rest }: LogRecord): string => `${instant(t)}  ${who}  ${JSON.stringify(rest)}`;
const change = ({ place, before, after }: Change): string => {
  if (before === undefined) return `  + ${place}  ${short(after)}`;
  if (after === undefined) return `  - ${place}  ${short(before)}`;
  return `  ~ ${place}  ${short(before)} -> ${short(after)}`;
};
const short = (value: unknown): string => JSON.stringify(value);

/** Results as lines for a terminal: one for the run, one for each oracle, and a block to reproduce what did not hold. */
import { printable } from "./escape.ts";
import type { Verdict } from "./result.ts";
import { type Assessed, reproBlock } from "./wording.ts";

/** Colours a word by what it says; `plain` for pipes, files and NO_COLOR. */
export type Paint = (tone: Verdict | "dim" | "bold", text: string) => string;

export const plain: Paint = (_, text) => text;

/** SGR codes (ECMA-48): green, red, yellow, magenta; dim and bold. */
const SGR: Readonly<Record<Verdict | "dim" | "bold", number>> = {
  held: 32,
  broken: 31,
  inconclusive: 33,
  crashed: 35,
  dim: 2,
  bold: 1,
};
export const ansi: Paint = (tone, text) => `\u{1b}[${SGR[tone]}m${text}\u{1b}[0m`;

/** The lines of one run. Control characters in names and details are shown as `?`. */
export function pretty({ result }: Assessed, paint: Paint = plain): string[] {
  const seconds = `${(result.virtualMs / 1_000).toFixed(1)} s in ${(result.wallMs / 1_000).toFixed(2)} s`;
  const width = Math.max(0, ...result.oracles.map((one) => one.name.length));
  const head = `${paint(result.verdict, result.verdict)}  ${paint("bold", printable(result.scenario))}  ${printable(result.lab)}  seed ${printable(result.seed)}  ${seconds}`;
  const oracles = result.oracles.map(
    (one) =>
      `  ${paint(one.verdict, one.verdict.padEnd(12))} ${printable(one.name).padEnd(width)}  ${paint("dim", printable(one.detail))}`,
  );
  const block = result.verdict === "held" ? [] : ["", ...reproBlock(result).map(printable)];
  return [head, ...oracles, ...block, `report: ${printable(result.dir)}/report.html`];
}

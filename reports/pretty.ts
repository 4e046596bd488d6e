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

/** Columns that are left to figures beside the names of oracles; where there are fewer they stand below. chosen: a sentence is no ladder of words. */
const BESIDE = 30;

/**
 * The lines of one run. Control characters in names and details are shown as `?`. `columns`: of the terminal, where there is one: figures go on below where they began,
 * and below their oracle where that leaves too little; what is to be copied is never broken.
 */
export function pretty({ result }: Assessed, paint: Paint = plain, columns: number = Number.POSITIVE_INFINITY): string[] {
  const seconds = `${(result.virtualMs / 1_000).toFixed(1)} s in ${(result.wallMs / 1_000).toFixed(2)} s`;
  const width = Math.max(0, ...result.oracles.map((one) => one.name.length));
  const head = `${paint(result.verdict, result.verdict)}  ${paint("bold", printable(result.scenario))}  ${printable(result.lab)}  seed ${printable(result.seed)}  ${seconds}`;
  const beside = 17 + width;
  const isBeside = columns - beside >= BESIDE;
  const indent = isBeside ? beside : 6;
  const oracles = result.oracles.flatMap((one) => {
    const name = `  ${paint(one.verdict, one.verdict.padEnd(12))} ${printable(one.name)}`;
    const [first = "", ...others] = wrapped(printable(one.detail), columns - indent);
    const below = others.map((line) => `${" ".repeat(indent)}${paint("dim", line)}`);
    return isBeside
      ? [`${name}${" ".repeat(width - printable(one.name).length)}  ${paint("dim", first)}`, ...below]
      : [name, `${" ".repeat(indent)}${paint("dim", first)}`, ...below];
  });
  const block = result.verdict === "held" ? [] : ["", ...reproBlock(result)];
  return [head, ...oracles, ...block, `report: ${printable(result.dir)}/report.html`];
}

/** Lines of at most `width` characters, between words where they can be. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/**
 * What `midcall replay` was given: of everything that the commands write, which kind it is, told by its place and its content and not by its name.
 * A file that is part of a run's folder stands for the run.
 */
import { glob, open, readFile, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { usage } from "../exit.ts";
import { type Row, readMatrix } from "../mutant-matrix.ts";
import { fieldFormat } from "../reproduce/field-source.ts";
import { DEFAULT_SEED, parseSeed } from "../seed.ts";

/** One mutation and who caught it, as a matrix or `mutants --json` has it. */
export type CaughtRow = Pick<Row, "mutation" | "oracle" | "case"> & { readonly seed: number };

/** What a repro block says: `replay` is the path it names. */
export type Block = {
  readonly scenario: string;
  readonly oracle: string;
  readonly seed: number;
  readonly commit: string;
  readonly replay: string;
};

export type Artefact =
  /** A folder with a result, or a file in one. */
  | { readonly is: "run"; readonly word: string }
  /** A scenario with no run beside it. */
  | { readonly is: "scenario"; readonly word: string }
  /** The log of a laboratory's run without its folder. */
  | { readonly is: "log"; readonly word: string; readonly text: string; readonly head: LogHead }
  /** What a program outside a laboratory recorded: a client's own log, a capture, a dump, a table. */
  | { readonly is: "recording"; readonly word: string }
  | { readonly is: "block"; readonly word: string; readonly block: Block }
  | { readonly is: "matrix"; readonly word: string; readonly rows: readonly CaughtRow[] };

/** First record of a laboratory's log. */
export type LogHead = { readonly scenario: string; readonly lab: string; readonly seed: number } & {
  readonly codec: "real" | "sized";
  readonly crypto: "real" | "null";
};

/** More of a file than its beginning is read only where it is text of ours. */
const BEGINNING = 4_096;

/** What `word`, relative to `folder`, holds: at least one artefact. Throws a usage error for what nothing can be made of. */
export async function artefactsIn(word: string, folder: string): Promise<readonly Artefact[]> {
  const path = resolve(folder, word);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw usage(`${word}: there is no such file or folder`, "want a run's folder, like out/latest");
  const home = found.isDirectory() ? path : dirname(path);
  if (await isFile(join(home, "result.json"))) return [{ is: "run", word }];
  if (found.isDirectory()) return below(word, path);
  if (!found.isFile()) throw usage(`${word}: that is not a file`, "want a run's folder, or a file that midcall wrote");
  const text = await readText(path);
  if (text === undefined) return recording(word, path);
  if (BLOCK.test(text)) return blocksOf(word, text);
  if (/^mutation +module +oracle +case +seconds/.test(text)) return [matrixOf(word, readMatrix(text))];
  if (text.startsWith("{") || text.startsWith("[")) return fromJson(word, text);
  return recording(word, path);
}

async function recording(word: string, path: string): Promise<readonly Artefact[]> {
  await fieldFormat(
    path,
    word,
    "want a run's folder, a file that a command of midcall wrote, or a recording that midcall reproduce takes",
  );
  return [{ is: "recording", word }];
}

const isFile = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isFile() === true;

/** The runs of a folder of runs, or the scenarios of a corpus, in the order of their names. */
async function below(word: string, path: string): Promise<readonly Artefact[]> {
  const runs = await matching("{*,*/*,*/*/*}/result.json", path);
  // `latest` points to one that is named anyway.
  const own = runs.map((one) => dirname(one)).filter((one) => one !== "latest");
  if (own.length > 0) return own.toSorted().map((one) => ({ is: "run", word: join(word, one) }));
  const kept = await matching("*.json", path);
  if (kept.length > 0) return kept.map((one) => ({ is: "scenario", word: join(word, one) }));
  throw usage(
    `${word}: there is no run and no scenario in it`,
    "want a run's folder with scenario.json, result.json and run.ndjson",
  );
}

async function matching(pattern: string, cwd: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const one of glob(pattern, { cwd })) found.push(one);
  return found.sort();
}

/** The text of a file that may be ours; undefined for anything else, read no further than its beginning. */
async function readText(path: string): Promise<string | undefined> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(BEGINNING), 0, BEGINNING, 0);
    const start = buffer.toString("utf8", 0, bytesRead).trimStart();
    const [line = ""] = start.split("\n");
    const isLog = line.startsWith('{"t":') && !line.includes('"ev":"run"');
    // A dump of webrtc-internals is JSON too, and may be large.
    const isDump = /"(PeerConnections|getUserMedia|UserAgent)"/.test(start);
    if (isLog || isDump || start.includes("\0")) return undefined;
    if (!start.startsWith("{") && !start.startsWith("[") && !BLOCK.test(start) && !start.startsWith("mutation "))
      return undefined;
  } finally {
    await file.close();
  }
  return readFile(path, "utf8");
}

const BLOCK = /^(?:FAIL|UNKNOWN) (\S+) {2}oracle=(\S+) .*?seed (\S+) {2}commit (\S+)$/m;

/** Blocks as `run`, `explore` and `shrink` print them, one or several. */
function blocksOf(word: string, text: string): readonly Artefact[] {
  return [...text.matchAll(new RegExp(BLOCK, "gm"))].map(({ index, ...found }) => {
    const [, scenario = "", oracle = "", seed = "", commit = ""] = [...Object.values(found)] as string[];
    const replay = /^replay: .*?replay (\S+)$/m.exec(text.slice(index))?.[1] ?? "";
    return { is: "block", word, block: { scenario, oracle, seed: parseSeed(seed) ?? DEFAULT_SEED, commit, replay } };
  });
}

function matrixOf(word: string, rows: readonly Row[]): Artefact {
  return {
    is: "matrix",
    word,
    rows: rows.map(({ mutation, oracle, case: where }) => ({ mutation, oracle, case: where, seed: DEFAULT_SEED })),
  };
}

function fromJson(word: string, text: string): readonly Artefact[] {
  const [line = ""] = text.split("\n", 1);
  const first = parsed(line);
  if (isObject(first) && first.ev === "run") return [{ is: "log", word, text, head: headOf(word, first) }];
  const whole = parsed(text);
  if (whole === undefined) throw usage(`${word}: it is neither JSON nor a log`, "want what midcall wrote, as it wrote it");
  const all = Array.isArray(whole) ? whole : [whole];
  const [one] = all;
  if (isObject(one) && typeof one.schema === "string" && one.schema.startsWith("midcall/bench-")) {
    const subject = one.schema.slice("midcall/bench-".length).replace(/@\d+$/, "");
    throw usage(
      `${word}: figures of a machine are measured, no run of theirs is recorded`,
      `want midcall bench ${subject} --json, and to compare the two`,
    );
  }
  if (isObject(one) && typeof one.mutation === "string") return [{ is: "matrix", word, rows: all.flatMap(rowOf) }];
  if (isObject(one) && one.schema === "midcall/scenario@1") return [{ is: "scenario", word }];
  // Results of `run`, `shrink` and `reproduce`, and the violations of `explore`.
  const results = isObject(one) && Array.isArray(one.violations) ? one.violations : all;
  const runs = results.flatMap((result): Artefact[] =>
    isObject(result) && typeof result.dir === "string" && result.dir !== "" ? [{ is: "run", word: result.dir }] : [],
  );
  if (runs.length > 0) return runs;
  if (isObject(one) && Array.isArray(one.violations))
    throw usage(`${word}: the campaign found no violation`, "want one that did");
  return [{ is: "scenario", word }];
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null;

function headOf(word: string, { scenario, lab, seed, codec, crypto }: Readonly<Record<string, unknown>>): LogHead {
  const number = typeof seed === "string" ? parseSeed(seed) : undefined;
  const isKnown = typeof scenario === "string" && typeof lab === "string" && number !== undefined;
  if (!isKnown) throw usage(`${word}: its first record does not say which run it is of`, "want a run.ndjson as midcall wrote it");
  return {
    scenario,
    lab,
    seed: number,
    codec: codec === "sized" ? "sized" : "real",
    crypto: crypto === "null" ? "null" : "real",
  };
}

function rowOf(one: unknown): readonly CaughtRow[] {
  if (!isObject(one) || !isObject(one.caught)) return [];
  const { case: where, oracle, seed } = one.caught;
  const number = typeof seed === "string" ? parseSeed(seed) : undefined;
  return [{ mutation: String(one.mutation), oracle: String(oracle), case: String(where), seed: number ?? DEFAULT_SEED }];
}

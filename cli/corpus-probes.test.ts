/** The corpus, run with the fast engines on every change: all of it holds, and together its scenarios hit the probes. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { judge } from "../reports/judge.ts";
import { measure } from "../reports/measure.ts";
import { PROBES, probesHit } from "../reports/probes.ts";
import { parseScenario } from "../scenarios/language.ts";
import { runSim } from "../sim/lab.ts";
import { nullCrypto } from "../sim/null-crypto.ts";
import { sizedCodec } from "../sim/sized-codec.ts";
import { DEFAULT_SEED } from "./seed.ts";

const FOLDER = join(import.meta.dirname, "../scenarios/corpus");

/** Probes that no scenario here hits: QUIC's own filter takes duplicated packets before media sees them; stale updates are the case stale-messages. */
const NOT_IN_CORPUS: ReadonlySet<string> = new Set(["replayed-packet", "stale-update"]);

/** What exploration kept; a file may name its seed (`name.0x2a.json`). */
const FILES = readdirSync(FOLDER).filter((name) => name.startsWith("explored-") && name.endsWith(".json"));

describe("the corpus that exploration kept", () => {
  const hits = new Set<string>();

  it.each(FILES)("%s holds", (file) => {
    const parsed = parseScenario(JSON.parse(readFileSync(join(FOLDER, file), "utf8")));
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const seed = Number(/\.(0x[0-9a-f]+)\.json$/.exec(file)?.[1] ?? DEFAULT_SEED);
    const { records, crashed } = runSim({ scenario: parsed.scenario, seed }, { codec: sizedCodec, crypto: nullCrypto });
    for (const name of probesHit(records, parsed.scenario)) hits.add(name);
    const { verdict, cause } = judge(measure(records, parsed.scenario), crashed);
    expect(verdict, cause).toBe("held");
  });

  it("hits every probe but those named here", () => {
    expect(PROBES.flatMap(({ name }) => (hits.has(name) || NOT_IN_CORPUS.has(name) ? [] : [name]))).toEqual([]);
  });
});

/** The bugs that say what the cause line is worth still fit the code, and some of them are named; where no bug is, its books balance. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BOOKS } from "../reports/cause.ts";
import { booksOf } from "../reports/cause-books.ts";
import { measure } from "../reports/measure.ts";
import { readLog } from "../reports/read-log.ts";
import { CATALOGUE } from "../scenarios/catalogue.ts";
import { applyMutation } from "../scenarios/mutation.ts";
import { planted, pointedAt } from "./bench-cause.ts";
import { CAUSE_BUGS } from "./cause-bugs.ts";
import { openLaboratory } from "./laboratory.ts";
import { DEFAULT_SEED } from "./seed.ts";

test("every bug fits the code exactly once", () => {
  for (const bug of CAUSE_BUGS) {
    const source = readFileSync(join(import.meta.dirname, "..", bug.file), "utf8");
    expect(applyMutation(source, bug)).not.toBe(source);
  }
});

/** One of each component. */
const SOME: readonly string[] = [
  "quantile-of-half",
  "media-to-first-party",
  "fewer-addresses-read",
  "ringing-shorter-than-answer",
];

test.each(SOME)("%s is named by the part that it is in", async (name) => {
  const bug = planted().find(({ mutation }) => mutation.name === name);
  if (bug === undefined) throw new Error(`no bug is called ${name}`);
  const { broke, named, parts, says } = await pointedAt(bug, new AbortController().signal);
  expect(broke).toBe(true);
  expect(parts, says).toContain(named);
});

/** Cases in which much happens: relays that die, drain and stand still, networks that change, signalling delayed. */
const SOUND: readonly string[] = [
  "relay-restart",
  "drain",
  "relay-pause",
  "roam-wifi-to-cellular",
  "hang-up-during-outage",
  "fec-burst",
  "federation-move",
];

test("in runs of sound code every duty was done", async () => {
  const laboratory = openLaboratory();
  try {
    for (const name of SOUND) {
      const scenario = CATALOGUE.find((one) => one.name === name);
      if (scenario === undefined) throw new Error(`no case is called ${name}`);
      const { lines } = await laboratory.run({
        ...{ lab: "sim", scenario, seed: DEFAULT_SEED, codec: "sized", crypto: "null", folder: null, dir: "" },
        ...{ wantLines: true, commit: "unknown", sabotage: null },
      });
      const evidence = measure(readLog(`${lines.join("\n")}\n`).records, scenario);
      const books = booksOf(evidence, []);
      const clues = BOOKS.flatMap((rule) => rule(books)).filter(({ weight }) => weight === "firm");
      expect(clues, name).toEqual([]);
    }
  } finally {
    await laboratory.close();
  }
});

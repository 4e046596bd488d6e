/** The bugs that say what the cause line is worth still fit the code, and some of them are named; where no bug is, its books balance. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BOOKS } from "../reports/cause.ts";
import { booksOf } from "../reports/cause-books.ts";
import { MECHANISM } from "../reports/cause-limits.ts";
import { measure } from "../reports/measure.ts";
import { readLog } from "../reports/read-log.ts";
import { CATALOGUE } from "../scenarios/catalogue.ts";
import { applyMutation } from "../scenarios/mutation.ts";
import { accusedBy, planted, pointedAt, tightened } from "./bench-cause.ts";
import { BLIND_BUGS } from "./blind-bugs.ts";
import { CAUSE_BUGS } from "./cause-bugs.ts";
import { openLaboratory } from "./laboratory.ts";
import { DEFAULT_SEED } from "./seed.ts";

test("every bug fits the code exactly once", () => {
  for (const bug of [...CAUSE_BUGS, ...BLIND_BUGS]) {
    const source = readFileSync(join(import.meta.dirname, "..", bug.file), "utf8");
    expect(applyMutation(source, bug)).not.toBe(source);
  }
});

test("the times that the rules copy from impl/core are those of impl/core", () => {
  const copies = [
    ["ice/path-watch.ts", "FIRST_PATIENCE", MECHANISM.misses],
    ["client.ts", "DEFAULT_PROBE", MECHANISM.asks],
    ["client.ts", "REFLEXIVE_PATIENCE", MECHANISM.gathers],
    ["call-setup.ts", "SAY_AGAIN", MECHANISM.again],
    ["neteq/delay-target.ts", "START", MECHANISM.firstDelay],
    ["neteq/decision.ts", "SLACK", MECHANISM.slack],
  ] as const;
  const UNITS: Readonly<Record<string, number>> = { millis: 1_000, seconds: 1_000_000 };
  for (const [file, name, copy] of copies) {
    const source = readFileSync(join(import.meta.dirname, "../impl/core", file), "utf8");
    const [, unit = "", figure = ""] =
      new RegExp(`^(?:export )?const ${name}(?:: Micros)? = (?:(millis|seconds)\\()?([\\d_]+)\\)?;$`, "m").exec(source) ?? [];
    expect([file, name, Number(figure.replaceAll("_", "")) * (UNITS[unit] ?? 1)]).toEqual([file, name, copy]);
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

/** Bugs whose victim and culprit are two: whom the line names. */
test.each([
  [
    "nobody-asks-at-rest",
    /^Bob's client was registered, heard nothing of its relay from [\d.]+ s on, and did not ask after it\.$/,
  ],
  // Its peer's voice came directly, so that a relay that dies is no reason for silence.
  ["playout-only-while-registered", /^\w+'s client had \d+ frames of \w+'s and played none while its relay was away: /],
] as const)("%s: who is to blame is named, and not who suffers from it", async (name, line) => {
  const bug = planted().find(({ mutation }) => mutation.name === name);
  if (bug === undefined) throw new Error(`no bug is called ${name}`);
  expect((await pointedAt(bug, new AbortController().signal)).says).toMatch(line);
});

/** Limits of a millisecond, where faults, networks, losses and set-ups take their time. */
const TIGHT: readonly (readonly [name: string, oracle: string])[] = [
  ["roam-wifi-to-cellular", "longest-gap"],
  ["relay-restart", "signalling-recovers"],
  ["relay-restart", "media-recovers"],
  ["burst-loss", "longest-gap"],
  ["fec-sliding", "mouth-to-ear"],
  ["federation-baseline", "call-connects"],
  ["federation-relay-flap", "media-recovers"],
  ["callee-restarts-ringing", "call-connects"],
  ["signalling-delayed", "media-recovers"],
  ["late-kill", "longest-gap"],
  ["v6-dies-under-both", "longest-gap"],
];

test("sound code that is held to a limit which no code can keep is not accused: the limit is, with what the mechanism takes", async () => {
  const laboratory = openLaboratory();
  try {
    for (const [name, oracle] of TIGHT) {
      const one = tightened().find((tight) => tight.scenario.name === name && tight.oracle === oracle);
      if (one === undefined) throw new Error(`${name} has no ${oracle}`);
      const said = await accusedBy(one, laboratory, new AbortController().signal);
      expect(said, `${name} ${oracle}`).toMatchObject({ accused: false });
      expect(said?.says).toMatch(
        new RegExp(
          `^Every part did its duty, and the limit is too short: ${oracle} of \\w+ took [\\d.]+ m?s \\(limit 1 ms\\), and .* may take [\\d.]+ m?s here\\.$`,
        ),
      );
    }
  } finally {
    await laboratory.close();
  }
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
  "federation-relay-flap",
  "v6-dies-at-rest",
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

/**
 * `bench cause`: how often the cause line names the right part of the system. Every mutation is planted and run in the case that catches it (reports/golden/mutants.txt), and so are
 * bugs that were written for nothing else (cause-bugs.ts); the part that the cause line names is compared with the part that the bug is in.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CATALOGUE } from "../scenarios/catalogue.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import type { Mutation } from "../scenarios/mutation.ts";
import { CALL_MUTATIONS } from "../scenarios/mutations/call.ts";
import { CLIENT_MUTATIONS } from "../scenarios/mutations/client.ts";
import { FEDERATION_MUTATIONS } from "../scenarios/mutations/federation.ts";
import { ICE_MUTATIONS } from "../scenarios/mutations/ice.ts";
import { PLAYOUT_MUTATIONS } from "../scenarios/mutations/playout.ts";
import { PROTECTION_MUTATIONS } from "../scenarios/mutations/protection.ts";
import { RELAY_MUTATIONS } from "../scenarios/mutations/relay.ts";
import { WIRE_MUTATIONS } from "../scenarios/mutations/wire.ts";
import { MUTATIONS } from "../scenarios/mutations.ts";
import { BLIND_BUGS } from "./blind-bugs.ts";
import { CAUSE_BUGS } from "./cause-bugs.ts";
import { corpus } from "./corpus.ts";
import { CliError } from "./exit.ts";
import { type Laboratory, openLaboratory } from "./laboratory.ts";
import { readMatrix } from "./mutant-matrix.ts";
import { DEFAULT_SEED } from "./seed.ts";

/** A bug, the case that shows it, and where it is. */
export type Planted = {
  readonly mutation: Mutation;
  readonly case: string | undefined;
  readonly component: string | undefined;
  /** Every part that counts as right. */
  readonly parts: readonly (string | undefined)[];
  /** Where it comes from: the catalogue of mutations, or a set of cause-bugs.ts. */
  readonly set: string;
};

/** What a bug's cause line said. `broke`: the case did, so that there was one. */
export type Pointed = Omit<Planted, "mutation"> & {
  readonly mutation: string;
  readonly broke: boolean;
  readonly named: string | undefined;
  readonly says: string;
};

/** The component that a mutation of the catalogue is in: that has a file for each, and a client's signalling in three. */
export const componentOf = (mutation: string): string | undefined =>
  Object.entries({
    client: [...CLIENT_MUTATIONS, ...CALL_MUTATIONS, ...ICE_MUTATIONS],
    relay: [...RELAY_MUTATIONS, ...FEDERATION_MUTATIONS],
    protection: PROTECTION_MUTATIONS,
    playout: PLAYOUT_MUTATIONS,
    wire: WIRE_MUTATIONS,
  }).find(([, mutations]) => mutations.some(({ name }) => name === mutation))?.[0];

/**
 * The parts that a bug may show in: those whose process runs the module. A queue of effects or a reconnect supervisor is in relays and in clients (relays are clients of other
 * relays), and a log can only tell in whose it went wrong; what a client cannot read for want of a parser is both's.
 */
export const partsOf = ({ file }: Mutation, component: string | undefined): readonly (string | undefined)[] =>
  BOTH.has(file) ? ["client", "relay"] : file.startsWith("impl/wire/") ? [component, "wire"] : [component];

/** Modules that impl/core/client.ts and impl/core/relay.ts both come to import and that a mutation of either's file is in. */
const BOTH: ReadonlySet<string> = new Set(["outbox", "supervisor", "relay-probe"].map((name) => `impl/core/${name}.ts`));

/** All bugs, set by set. CliError `lacking` in a package, which comes without the matrix. */
export function planted(): readonly Planted[] {
  const caught = caughtBy();
  const all = [...MUTATIONS.values()].map((mutation) => ({
    mutation,
    case: caught.get(mutation.name),
    component: componentOf(mutation.name),
    set: "catalogue",
  }));
  const more = [...CAUSE_BUGS, ...BLIND_BUGS].map(({ component, case: name, set, ...mutation }) => ({
    mutation,
    case: name,
    component,
    set,
  }));
  return [...all, ...more].map((one) => ({ ...one, parts: partsOf(one.mutation, one.component) }));
}

/** The case that catches each mutation, by its name: of the catalogue, or a file of the corpus. CliError `lacking` in a package, which comes without them. */
function caughtBy(): ReadonlyMap<string, string> {
  const file = join(import.meta.dirname, "../reports/golden/mutants.txt");
  if (!existsSync(file)) throw new CliError("lacking", `${file} is not there: bench cause works in a checkout of midcall alone`);
  return new Map(readMatrix(readFileSync(file, "utf8")).map((row) => [row.mutation, row.case]));
}

/** Oracles with a limit in time, and the parameter that is it. */
const LIMITS: ReadonlyMap<string, string> = new Map([
  ["longest-gap", "max"],
  ["media-recovers", "within"],
  ["signalling-recovers", "within"],
  ["call-connects", "within"],
  ["mouth-to-ear", "p95"],
]);

/** Sound code held to a limit that no code can keep: a millisecond for one oracle of a case. */
export type Tight = { readonly scenario: Scenario; readonly oracle: string };

/** Each case of the catalogue, crowds and long ones apart, with one of its limits after the other made a millisecond. */
export const tightened = (): readonly Tight[] =>
  CATALOGUE.filter(({ tags }) => !tags.includes("crowd") && !tags.includes("long")).flatMap((scenario) =>
    [...LIMITS].flatMap(([oracle, parameter]): Tight[] =>
      scenario.expect.some((one) => one.oracle === oracle)
        ? [
            {
              oracle,
              scenario: {
                ...scenario,
                expect: scenario.expect.map((one) => (one.oracle === oracle ? { ...one, [parameter]: 1_000 } : one)),
              },
            },
          ]
        : [],
    ),
  );

/** What the cause line says of sound code: undefined where the limit was kept all the same. `accused`: a part, and not the limit. */
export async function accusedBy(
  { scenario }: Tight,
  laboratory: Laboratory,
  signal: AbortSignal,
): Promise<{ readonly accused: boolean; readonly says: string } | undefined> {
  const job = { lab: "sim", scenario, seed: DEFAULT_SEED, codec: "sized", crypto: "null", folder: null, dir: "" } as const;
  const { result } = await laboratory.run({ ...job, wantLines: false, commit: "unknown", sabotage: null }, { signal });
  if (result.verdict !== "broken") return undefined;
  return { accused: result.culprit?.component !== "scenario", says: result.culprit?.sentence ?? "" };
}

/** What the cause line says of a bug in the case that shows it. */
export async function pointedAt({ mutation, ...about }: Planted, signal: AbortSignal): Promise<Pointed> {
  const kept = corpus().find(({ file }) => file === about.case);
  const scenario = kept?.scenario() ?? CATALOGUE.find((one) => one.name === about.case);
  const silent = { ...about, mutation: mutation.name, broke: false, named: undefined, says: "" };
  if (scenario === undefined) return silent;
  const laboratory = openLaboratory(mutation);
  try {
    const { result } = await laboratory.run(
      {
        lab: "sim",
        scenario,
        seed: kept?.seed ?? DEFAULT_SEED,
        codec: "sized",
        // Bugs of what is sealed show only where something is.
        crypto: "real",
        folder: null,
        dir: "",
        wantLines: false,
        commit: "unknown",
        sabotage: mutation.name,
      },
      { signal },
    );
    if (result.verdict !== "broken") return silent;
    return { ...silent, broke: true, named: result.culprit?.component, says: result.culprit?.sentence ?? "" };
  } finally {
    await laboratory.close();
  }
}

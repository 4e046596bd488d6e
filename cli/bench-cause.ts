/**
 * `bench cause`: how often the cause line names the right part of the system. Every mutation is planted and run in the case that catches it (reports/golden/mutants.txt);
 * the part that the cause line names is compared with the part that the bug is in. Mutations come in two halves by a hash of their names: the rules of
 * reports/cause-*.ts may be written beside those of the one half, and what they are worth is read from the other.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CATALOGUE } from "../scenarios/catalogue.ts";
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
import { corpus } from "./corpus.ts";
import { CliError } from "./exit.ts";
import { openLaboratory } from "./laboratory.ts";
import { readMatrix } from "./mutant-matrix.ts";
import { DEFAULT_SEED } from "./seed.ts";

/** What a bug's cause line said. `case`: undefined when none broke. */
export type Pointed = {
  readonly mutation: string;
  readonly component: string | undefined;
  /** Every part that counts as right. */
  readonly parts: readonly (string | undefined)[];
  readonly case: string | undefined;
  readonly named: string | undefined;
  readonly says: string;
};

/** The component that a mutation is in: the catalogue has a file for each, and a client's signalling in three. */
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
 * relays), and a log can only tell in whose it went wrong.
 */
export const partsOf = ({ name, file }: Mutation): ReadonlySet<string | undefined> =>
  BOTH.has(file) ? new Set(["client", "relay"]) : new Set([componentOf(name)]);

/** Modules that impl/core/client.ts and impl/core/relay.ts both come to import and that a mutation of either's file is in. */
const BOTH: ReadonlySet<string> = new Set(["outbox", "supervisor", "relay-probe"].map((name) => `impl/core/${name}.ts`));

/** Whether the rules may be written beside this mutation: one in two, by its name alone. */
export const isTunedWith = (mutation: string): boolean => (createHash("sha256").update(mutation).digest()[0] ?? 0) % 2 === 0;

/** All mutations, in the order of their names. */
export const planted = (): readonly Mutation[] => [...MUTATIONS.values()].sort((a, b) => (a.name < b.name ? -1 : 1));

/** The case that catches each mutation, by its name: of the catalogue, or a file of the corpus. CliError `lacking` in a package, which comes without them. */
function caughtBy(): ReadonlyMap<string, string> {
  const file = join(import.meta.dirname, "../reports/golden/mutants.txt");
  if (!existsSync(file)) throw new CliError("lacking", `${file} is not there: bench cause works in a checkout of midcall alone`);
  return new Map(readMatrix(readFileSync(file, "utf8")).map((row) => [row.mutation, row.case]));
}

/** What the cause line says of `mutation` in the case that catches it. */
export async function pointedAt(mutation: Mutation, signal: AbortSignal): Promise<Pointed> {
  const name = caughtBy().get(mutation.name);
  const kept = corpus().find(({ file }) => file === name);
  const scenario = kept?.scenario() ?? CATALOGUE.find((one) => one.name === name);
  const about = { mutation: mutation.name, component: componentOf(mutation.name), parts: [...partsOf(mutation)] };
  if (scenario === undefined) return { ...about, case: undefined, named: undefined, says: "" };
  const laboratory = openLaboratory(mutation.name);
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
    return result.verdict === "broken"
      ? { ...about, case: scenario.name, named: result.culprit?.component, says: result.culprit?.sentence ?? "" }
      : { ...about, case: undefined, named: undefined, says: "" };
  } finally {
    await laboratory.close();
  }
}

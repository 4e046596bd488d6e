/**
 * `bench cause`: how often the cause line names the right part of the system, over bugs it was not made with. The rules of reports/cause-*.ts were written
 * beside the twins of the catalogue's cases; measured here are all other mutations. Each is planted, cases are run in the order in which `mutants` tries them until one breaks,
 * and the part that the cause line names is compared with the part that the bug is in.
 */
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
import { openLaboratory } from "./laboratory.ts";
import { inOrder } from "./mutants.ts";
import { DEFAULT_SEED } from "./seed.ts";

/** What a bug's cause line said. `case`: undefined when no case tried broke. */
export type Pointed = {
  readonly mutation: string;
  readonly component: string | undefined;
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

/** Mutations that are the twin of no case, in the order of their names. */
export function heldOut(): readonly Mutation[] {
  const twins = new Set(CATALOGUE.map(({ twin }) => twin?.mutation));
  return [...MUTATIONS.values()].filter(({ name }) => !twins.has(name)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** chosen: what breaks in none of so many likely cases is rare, and waiting for it teaches little. */
const CASES_TRIED = 20;

/** Cases whose runs take long, and show nothing here that others do not. */
const isShort = ({ tags }: (typeof CATALOGUE)[number]): boolean => !tags.some((tag) => tag === "long" || tag === "crowd");

/** What the cause line says of `mutation` in the first likely case that breaks under it. */
export async function pointedAt(mutation: Mutation, signal: AbortSignal): Promise<Pointed> {
  const laboratory = openLaboratory(mutation.name);
  const trials = [
    ...corpus().map(({ seed, scenario }) => ({ scenario: scenario(), seed })),
    ...CATALOGUE.filter(isShort).map((scenario) => ({ scenario, seed: DEFAULT_SEED })),
  ];
  const about = { mutation: mutation.name, component: componentOf(mutation.name) };
  try {
    for (const { scenario, seed } of inOrder(mutation, trials).slice(0, CASES_TRIED)) {
      const { result } = await laboratory.run(
        {
          lab: "sim",
          scenario,
          seed,
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
      if (result.verdict === "broken")
        return { ...about, case: scenario.name, named: result.culprit?.component, says: result.culprit?.sentence ?? "" };
    }
    return { ...about, case: undefined, named: undefined, says: "" };
  } finally {
    await laboratory.close();
  }
}

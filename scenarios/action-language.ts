/**
 * What the users of a scenario's clients do besides calling: change their relay, go idle, come back, hang up. Timed or triggered like faults, and the
 * same in every laboratory.
 */
import { z } from "zod";
import type { Complaints } from "./complaints.ts";
import type { Action } from "./expanded.ts";
import type { When } from "./fault-builders.ts";
import type { WrittenAfter, WrittenWhen } from "./fault-language.ts";
import { readTrigger } from "./fault-plan.ts";
import type { Time } from "./time.ts";
import type { Topology } from "./topology.ts";
import { after, name, strict, time } from "./vocabulary.ts";
import type { WrittenScenario } from "./written-scenario.ts";

/** An action as written: when (one of `at`, `after` and, as in the expanded form, `when`), who, and what. */
export type WrittenAction = Pick<WrittenWhen, "at" | "after" | "when"> & {
  readonly party: string;
  readonly does: Action["does"];
  /** Of `register`: the relay it is to be with from now on. */
  readonly relay?: string | undefined;
};

/** An action as written. */
export const action: z.ZodType<WrittenAction, WrittenAction> = strict({
  party: name,
  does: z.enum(["register", "deregister", "hang-up"]),
  relay: name.optional(),
  at: time.optional(),
  after: after.optional(),
  when: z.union([strict({ at: time }), strict({ after })]).optional(),
}) as unknown as z.ZodType<WrittenAction, WrittenAction>;

/** The client is to be registered with this relay: a switch when it is with another one, nothing when it is with this one. */
export const register = (party: string, relay: string, when: When): WrittenAction => ({
  party,
  does: "register",
  relay,
  ...when,
});
/** The client hangs up, leaves its relay and stays idle. */
export const deregister = (party: string, when: When): WrittenAction => ({ party, does: "deregister", ...when });
/** The client hangs its call up, whichever side of it it is. */
export const hangUp = (party: string, when: When): WrittenAction => ({ party, does: "hang-up", ...when });

export function readActions(
  written: WrittenScenario,
  topology: Topology,
  duration: number,
  complain: Complaints,
): readonly Action[] {
  const names = (role: "client" | "relay"): string[] =>
    [...topology.parties].flatMap(([one, party]) => (party.role === role ? [one] : []));
  return (written.actions ?? []).map((one, index): Action => {
    const place = ["actions", index];
    const { party, does, relay } = one;
    complain.wantName([...place, "party"], "a client", party, names("client"));
    const when = readTrigger({ topology, duration, complain }, one as { at?: Time; after?: WrittenAfter }, place);
    if (does !== "register") {
      if (relay !== undefined) complain.say([...place, "relay"], `belongs to "register": want none for "${does}"`);
      return { when, party, does };
    }
    if (relay === undefined)
      complain.say([...place, "relay"], `is missing: "register" wants a relay (${names("relay").join(", ")})`);
    else complain.wantName([...place, "relay"], "a relay", relay, names("relay"));
    return { when, party, does, relay: relay ?? "" };
  });
}

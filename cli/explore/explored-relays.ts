/**
 * A second relay for a base that has one: a stranger to the first, so that users who move to it must meet there again, or one that shares its users with it
 * (federation), so that the two ends of a call may be at different relays.
 */
import fc from "fast-check";
import type { Action, PartyModel, Scenario } from "../../scenarios/expanded.ts";

/** Who is at which relay, and when its users move. `apart`: for so long at most the two ends are at relays that do not know each other, microseconds. */
export type Relays = {
  readonly parties: Scenario["parties"];
  readonly actions: readonly Action[];
  readonly apart: number;
  /** Of the last move; 0: nobody moves. */
  readonly lastMove: number;
};

/** Name of the second relay. */
const SECOND = "r2";
/** Moves happen within this of the first, microseconds. chosen: the liveness promise begins 20 s after the last fault at the earliest, which leaves a move its time. */
const MOVES = 6_000_000;

/** `from`: calls are up by then. Where the base has several relays, or its users have plans of their own, all stays as it is. */
export function exploredRelays(
  { parties, actions = [], calls }: Scenario,
  from: number,
  isVaried: boolean,
): fc.Arbitrary<Relays> {
  const [call] = calls;
  const relays = Object.keys(parties).filter((name) => parties[name]?.role === "relay");
  const [first = ""] = relays;
  const model = parties[first];
  const isFree = relays.length === 1 && actions.length === 0 && calls.length === 1 && parties[SECOND] === undefined;
  const kept: Relays = { parties, actions, apart: 0, lastMove: 0 };
  if (!isVaried) return fc.constant(kept);
  return fc.tuple(drawn(), fc.subarray(relays), fc.boolean()).map(([one, losers, secondLoses]) => ({
    ...one,
    parties: withoutResetKey(one.parties, secondLoses ? [...losers, SECOND] : losers),
  }));

  function drawn(): fc.Arbitrary<Relays> {
    if (!isFree || call === undefined || model === undefined) return fc.constant(kept);
    const move = (party: string, relay: string, at: number): Action => ({ when: { at }, party, does: "register", relay });
    return fc
      .record({
        how: fc.constantFrom("neither", "spare", "linked"),
        at: fc.integer({ min: 0, max: MOVES / 1_000 }).map((offset) => from + offset * 1_000),
        together: fc.integer({ min: 0, max: 2_000 }).map((late) => late * 1_000),
        swaps: fc.subarray(["caller there", "callee here", "caller back"] as const),
      })
      .map(({ how, at, together, swaps }): Relays => {
        if (how === "neither") return kept;
        const two = (firstModel: PartyModel): Scenario["parties"] => ({ ...parties, [first]: firstModel, [SECOND]: model });
        if (how === "spare") {
          const pair = [move(call.caller, SECOND, at), move(call.callee, SECOND, at + together)];
          return { parties: two(model), actions: pair, apart: together, lastMove: at + together };
        }
        // Linked relays: the callee is at the second one, and both may move to where the other is, and back.
        const linked = two({ ...model, federatesWith: [SECOND] });
        const callee = linked[call.callee];
        const placed = callee === undefined ? linked : { ...linked, [call.callee]: { ...callee, relay: SECOND } };
        const moves = swaps.map((swap, i) =>
          swap === "callee here"
            ? move(call.callee, first, at + i * together)
            : move(call.caller, swap === "caller there" ? SECOND : first, at + i * together),
        );
        return {
          parties: placed,
          actions: moves,
          apart: 0,
          lastMove: moves.length === 0 ? 0 : at + (moves.length - 1) * together,
        };
      });
  }
}

/** The parties, of which those named do not keep the key of their stateless resets over a restart, and all others do. */
const withoutResetKey = (parties: Scenario["parties"], losers: readonly string[]): Scenario["parties"] =>
  Object.fromEntries(
    Object.entries(parties).map(([name, { losesResetKey: _, ...party }]) => [
      name,
      losers.includes(name) ? { ...party, losesResetKey: true as const } : party,
    ]),
  );

/** Each invariant that is judged in every run breaks under a bug planted for it, in a run that holds without the bug. */
import { describe, expect, it } from "vitest";
import { CATALOGUE } from "../scenarios/catalogue.ts";
import type { Fault, Scenario } from "../scenarios/expanded.ts";
import { parseScenario } from "../scenarios/language.ts";
import type { Mutation } from "../scenarios/mutation.ts";
import { INVARIANTS } from "../scenarios/oracles.ts";
import { fastJob } from "./explore/campaign.ts";
import { openLaboratory } from "./laboratory.ts";

const seconds = (value: number): number => value * 1_000_000;
const base = (name: string): Scenario => CATALOGUE.find((one) => one.name === name) as Scenario;

/** A case with other faults, its call to the end, and nothing promised but the invariants. */
function asked(name: string, faults: readonly Fault[], more: Partial<Scenario> = {}): Scenario {
  const own = base(name);
  const calls = own.calls.map((call) => ({ ...call, hangUpAt: null }));
  const parsed = parseScenario({ ...own, calls, faults, expect: [], twin: null, ...more });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.scenario;
}
const KILL: Fault = { kind: "kill", target: "r1", when: { at: seconds(5) }, for: seconds(2) };
/** The caller is called, and hides its address. */
const privately = (scenario: Scenario): Scenario => ({
  ...scenario,
  calls: scenario.calls.map((call) => ({ ...call, caller: call.callee, callee: call.caller, answer: "AcceptGeneric" })),
});
const [nat = ""] = Object.keys(base("nat-rebind").nats);
/** Registrations are heard after what was sent behind them. */
const outOfOrder = (target: string): Fault => ({
  kind: "signalling",
  target,
  direction: "up",
  effect: { duplicate: 0, reorder: 0, delay: 400_000, types: ["Register"] },
  when: { at: seconds(4) },
  for: seconds(6),
});
/** Bugs of no use elsewhere: they only show that the harness would notice. */
const planted = (name: string, file: string, find: string, replace: string): Mutation => ({
  name,
  file,
  find,
  replace,
  imitates: name,
});

const TABLE: readonly (readonly [invariant: string, bug: string | Mutation, scenario: Scenario])[] = [
  ["no-nonce-reuse", "packet-numbers-restart", asked("relay-restart", [KILL])],
  [
    "no-double-decrypt",
    planted(
      "packet-taken-twice",
      "impl/core/media-stream.ts",
      "this.#insert(now, received.own);",
      "this.#insert(now, received.own); this.#received.push(now, opened.seq);",
    ),
    asked("baseline", []),
  ],
  [
    "packets-in-their-call",
    planted(
      "played-and-kept",
      "impl/core/media-stream.ts",
      "this.#played.push(now, played.seq ?? -1);",
      "this.#played.push(now, played.seq === undefined ? -1 : played.seq ^ 1);",
    ),
    asked("baseline", []),
  ],
  ["every-frame-accounted", "relay-swallows-a-frame", asked("baseline", [])],
  ["no-stale-generation", "stale-update-applied", asked("stale-messages", base("stale-messages").faults)],
  ["one-supervisor", "attempts-side-by-side", asked("relay-restart", [KILL], { duration: seconds(20) })],
  ["reconnects-in-order", "doubt-never-ends", asked("relay-pause", base("relay-pause").faults)],
  ["calls-end-once", "rejected-call-set-up", asked("reject", [])],
  [
    "addresses-kept-private",
    "address-leaks-in-privacy-mode",
    privately(
      asked(
        "nat-rebind",
        [5, 8].map((at): Fault => ({ kind: "rebind", target: nat, when: { at: seconds(at) }, for: null })),
      ),
    ),
  ],
  [
    "strangers-refused",
    "stranger-served",
    asked("relay-restart", [KILL, outOfOrder("alice"), outOfOrder("bob")], { duration: seconds(20) }),
  ],
  ["well-in-the-end", "no-media-after-reconnect", asked("relay-restart", [KILL], { duration: seconds(35) })],
  ["everything-freed", "supervisor-survives-deregister", asked("baseline", [])],
  [
    "nothing-crashed",
    planted(
      "thrown",
      "impl/core/media-stream.ts",
      "if (++this.#ticks % 50 === 0) this.#stats();",
      'if (++this.#ticks === 99) throw new RangeError("planted");',
    ),
    asked("baseline", []),
  ],
];

describe("an invariant of every run breaks under a bug planted for it", () => {
  const sound = openLaboratory();

  it.each(TABLE)("%s", async (invariant, bug, scenario) => {
    const verdictOf = async (laboratory: ReturnType<typeof openLaboratory>): Promise<string | undefined> =>
      (await laboratory.run(fastJob(scenario, 1))).result.oracles.find((one) => one.name === invariant)?.verdict;
    expect(await verdictOf(sound)).toBe("held");
    const sabotaged = openLaboratory(bug);
    try {
      expect(await verdictOf(sabotaged)).toBe("broken");
    } finally {
      await sabotaged.close();
    }
  });

  it("every one but that faults leave a trace, which only ever is inconclusive", () => {
    const all = INVARIANTS.map(({ name }) => name).filter((name) => name !== "faults-left-a-trace");
    expect(TABLE.map(([name]) => name).toSorted()).toEqual(all.toSorted());
  });
});

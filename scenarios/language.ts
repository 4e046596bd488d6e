/**
 * The scenario language: reads what a person (or a program, or an earlier run's `scenario.json`) wrote into the expanded
 * form, or says everything that is wrong with it. An expanded scenario reads as itself.
 */
import { z } from "zod";
import { DEFAULT_JITTER_BUFFER } from "../impl/base/jitter-buffer-name.ts";
import { readActions } from "./action-language.ts";
import { readCalls } from "./call-plan.ts";
import { complaints } from "./complaints.ts";
import { readCrowd } from "./crowd-language.ts";
import type { Scenario, Twin } from "./expanded.ts";
import { readExpectations } from "./expectation-list.ts";
import { readFaults } from "./fault-plan.ts";
import { MUTATIONS } from "./mutations.ts";
import { INVARIANTS } from "./oracles.ts";
import { type Problem, problemsOf, show } from "./problem.ts";
import { formatTime, parseTime } from "./time.ts";
import { readTopology } from "./topology.ts";
import { writtenScenario } from "./written-scenario.ts";

/** What reading gives: the expanded scenario, or at least one problem. */
export type Parsed =
  | { readonly ok: true; readonly scenario: Scenario }
  | { readonly ok: false; readonly problems: readonly [Problem, ...Problem[]] };

/** Run time of a scenario that names none, microseconds. chosen: a call, a fault of a few seconds and time to see the recovery. */
const DEFAULT_DURATION = 15_000_000;
/** chosen: shorter than a second nothing connects, longer than a day is a mistake in the unit. */
const SHORTEST = 1_000_000;
const LONGEST = 86_400_000_000;

/** Reads a scenario. Never throws, whatever `input` is. */
export function parseScenario(input: unknown): Parsed {
  const read = writtenScenario.safeParse(input);
  if (!read.success) return failed(problemsOf(input, read.error.issues));
  const written = read.data;
  const complain = complaints();
  const duration = written.duration === undefined ? DEFAULT_DURATION : (parseTime(written.duration) ?? 0);
  if (duration < SHORTEST || duration > LONGEST) {
    complain.say(["duration"], `${show(written.duration)}: want ${formatTime(SHORTEST)} to ${formatTime(LONGEST)}`);
  }
  const topology = readTopology(written, complain);
  const calls = readCalls(written, topology, duration, complain);
  const actions = readActions(written, topology, duration, complain);
  const faults = readFaults(written, topology, duration, complain);
  const expect = readExpectations(written, { topology, calls, faults, duration, complain });
  const tags = written.tags ?? [];
  const labs = written.labs ?? ["sim", "netns", "docker"];
  const crowd = readCrowd(written.crowd, { topology, labs, duration, complain });
  for (const [nat, { portMapping }] of topology.nats)
    if (portMapping !== undefined && labs.some((lab) => lab !== "sim"))
      complain.say(
        ["labs"],
        `has ${labs.join(", ")}: want ["sim"], ${nat} opens ports on request (${portMapping}) in virtual time only`,
      );
  complain.wantDistinct(["tags"], tags);
  complain.wantDistinct(["labs"], labs);
  const twin = written.twin ?? null;
  if (twin !== null) {
    complain.wantName(["twin", "mutation"], "a mutation", twin.mutation, [...MUTATIONS.keys()]);
    const judged = [...new Set(expect.map((one) => one.oracle)), ...INVARIANTS.map((one) => one.name)];
    complain.wantName(["twin", "breaks"], "judged in this scenario", twin.breaks, judged);
  }
  if (complain.problems.length > 0) return failed(complain.problems);
  return {
    ok: true,
    scenario: {
      schema: "midcall/scenario@1",
      name: written.name,
      asks: written.asks,
      tags: [...tags],
      labs: [...labs],
      duration,
      jitterBuffer: written.jitterBuffer ?? DEFAULT_JITTER_BUFFER,
      nats: Object.fromEntries(topology.nats),
      parties: Object.fromEntries(topology.parties),
      ...(crowd === undefined ? {} : { crowd }),
      calls,
      ...(actions.length === 0 ? {} : { actions }),
      faults,
      expect,
      twin: twin === null ? null : copyOf(twin),
    },
  };
}

const copyOf = (twin: Twin): Twin => ({ mutation: twin.mutation, breaks: twin.breaks });

const failed = ([first, ...others]: readonly Problem[]): Parsed => ({
  ok: false,
  problems: [first ?? { path: "", message: "is not a scenario" }, ...others],
});

/** The JSON Schema (draft 2020-12) of the written form, for editors; what only `parseScenario` can check is not in it. */
export function scenarioJsonSchema(): object {
  const schema = z.toJSONSchema(writtenScenario, { io: "input" });
  return { ...schema, $id: "urn:midcall:scenario:1", title: "midcall scenario" };
}

/** Reads what a scenario expects: oracles by name, defaults filled in, parties and faults checked. */
import type { Complaints } from "./complaints.ts";
import type { CallModel, Expectation, Fault } from "./expanded.ts";
import { ORACLES, type OracleParameter } from "./oracles.ts";
import { type Place, show } from "./problem.ts";
import { formatTime, parseTime, type Time } from "./time.ts";
import type { Topology } from "./topology.ts";
import type { WrittenExpectation, WrittenScenario } from "./written-scenario.ts";

/** What a scenario that names no expectation expects. */
const DEFAULT_EXPECTATIONS: readonly WrittenExpectation[] = ["call-connects", "media-flows", "same-call"];

type Run = {
  readonly topology: Topology;
  readonly calls: readonly CallModel[];
  readonly faults: readonly Fault[];
  readonly duration: number;
  readonly complain: Complaints;
};

export function readExpectations(written: WrittenScenario, run: Run): readonly Expectation[] {
  const list = written.expect ?? (run.calls.length === 0 ? [] : DEFAULT_EXPECTATIONS);
  const read = list.map((one, index) => readExpectation(run, one, ["expect", index]));
  const texts = read.map((one) => JSON.stringify(one));
  texts.forEach((text, i) => {
    if (texts.indexOf(text) < i)
      run.complain.say(["expect", i], `${read[i]?.oracle} is here twice with the same parameters: want it once`);
  });
  return read;
}

function readExpectation(run: Run, written: WrittenExpectation, place: Place): Expectation {
  const given = new Map(Object.entries(typeof written === "string" ? { oracle: written } : written));
  const oracle = ORACLES.get(String(given.get("oracle")));
  const out: [string, string | number | boolean][] = [];
  for (const parameter of oracle?.parameters ?? []) {
    const value = given.get(parameter.name) ?? parameter.default;
    if (value === undefined) {
      if (parameter.required)
        run.complain.say([...place, parameter.name], `is missing: ${oracle?.name} wants it, ${parameter.takes}`);
      continue;
    }
    const isTime = parameter.kind === "time" && typeof value !== "boolean";
    out.push([parameter.name, isTime ? (parseTime(value as Time) ?? 0) : value]);
    checkParameter(run, oracle?.name ?? "", parameter, value, [...place, parameter.name]);
  }
  return { oracle: oracle?.name ?? "", ...Object.fromEntries(out) };
}

function checkParameter(
  { topology, calls, faults, duration, complain }: Run,
  oracle: string,
  parameter: OracleParameter,
  value: string | number | boolean,
  place: Place,
): void {
  if (parameter.kind === "fault" && typeof value === "number" && value >= faults.length) {
    complain.say(place, `${value}: there are ${faults.length} faults, counted from 0`);
  }
  if (parameter.kind === "time" && (parseTime(value as Time) ?? 0) > duration) {
    complain.say(place, `${show(value)} is longer than the run of ${formatTime(duration)} and can never be exceeded: want less`);
  }
  if (parameter.kind !== "party" || typeof value !== "string") return;
  const party = topology.parties.get(value);
  if (!complain.wantName(place, "a party", value, [...topology.parties.keys()]) || oracle === "refused") return;
  const talkers = [...new Set(calls.flatMap((call) => [call.caller, call.callee]))];
  if (party?.role === "relay") complain.say(place, `${show(value)} is a relay: want a client (${talkers.join(", ")})`);
  else if (!talkers.includes(value)) complain.say(place, `${show(value)} has no call: want one of ${talkers.join(", ")}`);
}

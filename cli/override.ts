/** `--set key=value`: one place of an expanded scenario changed from the command line, before the scenario is checked again. */
import type { Scenario } from "../scenarios/expanded.ts";
import { whatWouldBeRight } from "../scenarios/suggestion.ts";
import { usage } from "./exit.ts";

/** What JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * `scenario` with `setting` (`faults.0.for=5s`, `duration=30s`, `calls.0.callerSays=tone`) applied; what comes out is not
 * checked yet. Throws a usage error for a setting without `=`, and for a path that leads nowhere: all but the last step
 * must exist, and the last must too unless it is a key of an object (the scenario's own check knows which keys there may be).
 */
export function override(scenario: Json | Scenario, setting: string): Json {
  const equals = setting.indexOf("=");
  const path = setting.slice(0, equals).trim();
  if (equals < 0 || path === "") throw usage(`--set ${setting}: no key or no value`, "want key=value, like --set duration=30s");
  const steps = path.replace(/\[(\d+)\]/g, ".$1").split(".");
  return setAt(scenario as Json, steps, parseValue(setting.slice(equals + 1).trim()), setting, "the scenario");
}

/** `true`, `false`, `null`, a number, JSON that starts with `[` or `{` or `"`; everything else (times too) stays text. */
export function parseValue(text: string): Json {
  if (/^(true|false|null|-?\d+(\.\d+)?([eE][-+]?\d+)?)$/.test(text)) return JSON.parse(text);
  if (!/^[[{"]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function setAt(at: Json, steps: readonly string[], value: Json, setting: string, where: string): Json {
  const [step, ...rest] = steps;
  if (step === undefined) return value;
  if (Array.isArray(at)) {
    const position = /^\d+$/.test(step) ? Number(step) : -1;
    if (position < 0 || position >= at.length) {
      const right = at.length === 0 ? "it is an empty list" : `want a position 0..${at.length - 1}`;
      throw usage(`--set ${setting}: ${where} has no entry ${JSON.stringify(step)}`, right);
    }
    return at.map((one, index) => (index === position ? setAt(one, rest, value, setting, `${where}[${position}]`) : one));
  }
  if (typeof at !== "object" || at === null) {
    throw usage(`--set ${setting}: ${where} is ${JSON.stringify(at)}, nothing lies below it`, `set ${where} itself`);
  }
  const entries = new Map(Object.entries(at));
  const below = entries.get(step);
  const place = where === "the scenario" ? step : `${where}.${step}`;
  if (below === undefined && rest.length > 0) {
    throw usage(`--set ${setting}: ${where} has no ${JSON.stringify(step)}`, whatWouldBeRight(step, [...entries.keys()]));
  }
  entries.set(step, below === undefined ? value : setAt(below, rest, value, setting, place));
  return Object.fromEntries(entries);
}

/**
 * What is wrong with a written scenario, said for the person who wrote it: the place, the value found there and what would
 * be right. Also turns zod's issues into such sentences.
 */
import type { z } from "zod";
import { whatWouldBeRight } from "./suggestion.ts";

/** `path` is the place in the written scenario, like `faults[2].target`; "" is the whole of it. */
export type Problem = { readonly path: string; readonly message: string };

/** Where in the written scenario: object keys and array positions from the outside in. */
export type Place = readonly PropertyKey[];

/** `faults[2].target`. */
export function formatPlace(place: Place): string {
  let out = "";
  for (const step of place) out += typeof step === "number" ? `[${step}]` : out === "" ? String(step) : `.${String(step)}`;
  return out;
}

/** A value on one short line, whatever it is. Never throws. */
export function show(value: unknown): string {
  const text = ((): string => {
    if (typeof value === "string") return JSON.stringify(value);
    if (typeof value === "function") return "a function";
    if (typeof value === "bigint") return `${value}n`;
    if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
    if (typeof value === "object" && value !== null) return "an object";
    return String(value);
  })();
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** A problem about a name that is not among those known. `noun` is what it should name, with its article: `a party`. */
export const unknownName = (place: Place, noun: string, name: string, known: readonly string[]): Problem => ({
  path: formatPlace(place),
  message: `${show(name)} is not ${noun}: ${whatWouldBeRight(name, known)}`,
});

const own = (value: unknown, key: PropertyKey): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;

const valueAt = (input: unknown, place: Place): unknown => place.reduce(own, input);

const WANTED: ReadonlyMap<string, string> = new Map([
  ["object", "an object"],
  ["record", "an object"],
  ["array", "a list"],
  ["string", "text"],
  ["number", "a number"],
  ["int", "a whole number"],
  ["boolean", "true or false"],
  ["null", "null"],
]);

/** The branch of a union that was meant: of those that take a value of this type at all, the one with the fewest complaints. */
function nearestBranch(value: unknown, branches: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] {
  const refused = (issue: z.core.$ZodIssue): boolean =>
    issue.code === "invalid_type" || (issue.code === "invalid_value" && typeof value !== "string");
  const mismatch = (branch: readonly z.core.$ZodIssue[]): boolean =>
    branch.some((issue) => issue.path.length === 0 && refused(issue));
  const candidates = branches.filter((branch) => !mismatch(branch));
  return [...candidates].sort((a, b) => a.length - b.length)[0] ?? [];
}

const bound = (issue: z.core.$ZodIssueTooBig | z.core.$ZodIssueTooSmall): string => {
  const counted = issue.origin === "array" ? " of them" : issue.origin === "string" ? " characters" : "";
  if (issue.origin === "string" && issue.code === "too_small" && issue.minimum === 1) return "some text";
  if (issue.code === "too_big") return `at most ${issue.maximum}${counted}`;
  return `at least ${issue.minimum}${counted}`;
};

function translate(input: unknown, at: Place, issue: z.core.$ZodIssue): Problem[] {
  const place = [...at, ...issue.path];
  const value = valueAt(input, place);
  const say = (message: string): Problem[] => [{ path: formatPlace(place), message }];
  const missing = value === undefined;
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({
        path: formatPlace([...place, key]),
        message: `unknown key ${show(key)}: ${issue.message}`,
      }));
    case "invalid_type":
      if (missing) return say(`is missing: want ${WANTED.get(issue.expected) ?? issue.expected}`);
      return say(`${show(value)}: want ${WANTED.get(issue.expected) ?? issue.expected}`);
    case "invalid_value": {
      const known = issue.values.map(String);
      if (missing) return say(`is missing: want one of ${known.join(", ")}`);
      if (typeof value !== "string")
        return say(`${show(value)}: want ${known.length === 1 ? known[0] : `one of ${known.join(", ")}`}`);
      return say(`${show(value)} is not known here: ${whatWouldBeRight(value, known)}`);
    }
    case "too_big":
    case "too_small":
      return say(`${show(value)}: want ${bound(issue)}`);
    case "invalid_key":
      return say(`${show(String(place.at(-1)))} cannot be a name: want ${issue.issues[0]?.message ?? "another one"}`);
    case "invalid_format":
      return say(`${show(value)}: want ${issue.message}`);
    case "invalid_union": {
      if ("discriminator" in issue && issue.errors.length === 0) {
        const known = "options" in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
        if (typeof value === "string") return say(`${show(value)} is not known here: ${whatWouldBeRight(value, known)}`);
        return say(`${missing ? "is missing" : show(value)}: want one of ${known.join(", ")}`);
      }
      const branch = nearestBranch(value, issue.errors);
      if (branch.length > 0) return branch.flatMap((inner) => translate(input, place, inner));
      return say(`${missing ? "is missing" : show(value)}: want ${issue.message}`);
    }
    default:
      return say(`${show(value)}: want ${issue.message}`);
  }
}

/** zod's issues about `input` as problems, in zod's order, each place and message once. */
export function problemsOf(input: unknown, issues: readonly z.core.$ZodIssue[]): Problem[] {
  const seen = new Set<string>();
  return issues
    .flatMap((issue) => translate(input, [], issue))
    .filter(({ path, message }) => {
      const key = `${path}\n${message}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
}

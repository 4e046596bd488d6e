/** What a line of the matrix was made of, as a short hash: while it stays the same, the line need not be made again. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hashText } from "../impl/base/log-hash.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import type { Mutation } from "../scenarios/mutation.ts";

const ROOT = join(import.meta.dirname, "..");

/** 8 hexadecimal digits of the mutation, the module it is planted in and the case that catches it; "" where the module's source is not here. */
export function printOf({ file, find, replace }: Mutation, scenario: Scenario): string {
  try {
    return hashText([find, replace, readFileSync(join(ROOT, file), "utf8"), JSON.stringify(scenario)].join("\n")).slice(0, 8);
  } catch {
    return "";
  }
}

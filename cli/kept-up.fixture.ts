/** What a test of a run in real time asks of it. */
import { expect } from "vitest";
import type { Result } from "../reports/result.ts";

/** How machine.ts of reports says that a promise is not judged. */
const DID_NOT_KEEP_UP = "the machine did not keep up";

/**
 * Every oracle held. Where the only ones that did not are those that the machine gave no time to, nothing was shown: the test is left out, with who waited,
 * for how long and when, and is told among those at the end.
 */
export function expectHeld({ oracles, verdict }: Result, context: { skip(reason: string): void }): void {
  const unheld = oracles.filter((one) => one.verdict !== "held");
  const starved = unheld.filter(({ verdict: said, detail }) => said === "inconclusive" && detail.includes(DID_NOT_KEEP_UP));
  const [first] = starved;
  if (first !== undefined && starved.length === unheld.length) context.skip(`${first.name}: ${first.detail}`);
  expect(unheld.map((one) => `${one.name}: ${one.verdict}, ${one.detail}`)).toEqual([]);
  expect(verdict).toBe("held");
}

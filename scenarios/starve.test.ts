import { expect, test } from "vitest";
import { parseScenario, starve, type WrittenFault } from "./index.ts";

const read = (fault: WrittenFault): ReturnType<typeof parseScenario> =>
  parseScenario({ name: "case", asks: "Is it so?", parties: {}, faults: [fault] });

test("a process is starved to half of a processor in turns of 100 ms unless told otherwise", () => {
  const parsed = read(starve("bob", { at: "1s", for: "2s" }));
  expect(parsed.ok && parsed.scenario.faults[0]).toMatchObject({ kind: "starve", target: "bob", share: 0.5, every: 100_000 });
});

test.each([
  [{ share: 0 }, "faults[0].share: 0 is all or nothing: want a share between 0 and 1"],
  [{ share: 1 }, "faults[0].share: 1 is all or nothing: want a share between 0 and 1"],
  [{ every: "5ms" }, "faults[0].every: want 20ms to 5s, got 5ms"],
  [{ every: "6s" }, "faults[0].every: want 20ms to 5s, got 6s"],
])("%j is refused", (how, reason) => {
  const parsed = read(starve("bob", { at: "1s", for: "2s", ...how }));
  expect(parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([reason]);
});

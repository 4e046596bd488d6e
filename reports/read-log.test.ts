import fc from "fast-check";
import { expect, test } from "vitest";
import { aRelayRestart } from "./log-builder.ts";
import { readLine, readLog } from "./read-log.ts";

const restart = aRelayRestart().records();
const text = restart.map((record) => `${JSON.stringify(record)}\n`).join("");

test("a log that was written is read back record for record", () => {
  expect(readLog(text)).toEqual({ records: restart, problems: [], truncated: false });
});

test.each([
  { ev: "federation", peer: "r2", state: "down", reason: "silent" },
  { ev: "relay-path", peer: "r2", asked: 5, lost: 1, rttMs: 40.5 },
  { ev: "drain", state: "begun", sessions: 3, calls: 1, withinMs: 5_000 },
])("what only relays that federate and drain say is read too: $ev", (saying) => {
  const record = { t: 1, who: "r1", ...saying };
  expect(readLine(JSON.stringify(record))).toEqual({ ok: true, record });
});

test("a malformed line is reported with its number and the rest is read", () => {
  const lines = text.split("\n");
  lines[2] = "{nonsense";
  const read = readLog(lines.join("\n"));
  expect(read.problems).toEqual([{ line: 3, reason: "not JSON" }]);
  expect(read.records).toHaveLength(restart.length - 1);
});

test("a last line cut short is told apart from a malformed one", () => {
  const read = readLog(text.slice(0, -5));
  expect(read).toMatchObject({ truncated: true, problems: [] });
  expect(read.records).toHaveLength(restart.length - 1);
  expect(readLog(`${text}{"t":\n`)).toMatchObject({ truncated: false, problems: [{ line: restart.length + 1 }] });
});

test.each([
  ["[1]", "not an object"],
  ["null", "not an object"],
  ['{"t":1,"who":"lab"}', "unknown ev undefined"],
  ['{"t":1,"who":"lab","ev":"party"}', 'unknown ev "party"'],
  ['{"t":-1,"who":"lab","ev":"note","text":""}', "t: unfit value -1"],
  ['{"t":1,"ev":"note","text":""}', "who: unfit value undefined"],
  ['{"t":1,"who":"a","ev":"media-played","call":"c","kind":"loud","n":1,"at":0,"step":0}', 'kind: unfit value "loud"'],
  ['{"t":1,"who":"a","ev":"media-played","call":"c","kind":"source","n":1,"at":0,"step":[1.5]}', "step: unfit value [1.5]"],
])("%s is refused: %s", (line, reason) => {
  expect(readLine(line)).toEqual({ ok: false, reason });
});

test("no text makes the reader throw", () => {
  const pieces = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constantFrom(...restart.map((record) => JSON.stringify(record))),
    fc.constantFrom("\n", '{"ev":"__proto__"}', '{"ev":"network","t":0,"who":"a","sentPackets":null}'),
  );
  fc.assert(
    fc.property(fc.array(pieces), (parts) => {
      const read = readLog(parts.join("\n"));
      expect(read.records.length + read.problems.length).toBeLessThanOrEqual(parts.join("\n").split("\n").length);
    }),
    { seed: 1, numRuns: 300 },
  );
});

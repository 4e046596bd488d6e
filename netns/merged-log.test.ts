import { expect, test } from "vitest";
import { hashText } from "../impl/base/log-hash.ts";
import type { Saying } from "../impl/base/record.ts";
import { mergedLog } from "./merged-log.ts";

const note = (text: string): Saying => ({ ev: "note", text });

test("the finished log is in the order of t, and of one instant in the order it came in", () => {
  const log = mergedLog(undefined);
  log.say(5, "alice", note("late"));
  log.say(3, "bob", note("first"));
  log.say(3, "alice", note("second"));
  const { records, lines, hash } = log.finish();
  expect(records.map((one) => `${one.t} ${one.who}`)).toEqual(["3 bob", "3 alice", "5 alice"]);
  expect(lines.map((line) => JSON.parse(line))).toEqual(records);
  expect(hash).toBe(hashText(lines.join("\n")));
});

test("every record is handed on as it comes in", () => {
  const seen: string[] = [];
  const log = mergedLog((line, record) => seen.push(`${line.length > 0} ${record.t}`));
  log.say(5, "alice", note("a"));
  log.say(3, "bob", note("b"));
  expect(seen).toEqual(["true 5", "true 3"]);
});

test("a trigger fires once, at the nth record of which every field matches, with that record's instant", () => {
  const fired: number[] = [];
  const log = mergedLog(undefined);
  log.watch({ ev: "note", who: "alice", text: "now" }, 2, (at) => fired.push(at));
  log.say(1, "alice", note("now"));
  log.say(2, "bob", note("now"));
  log.say(3, "alice", note("not yet"));
  expect(fired).toEqual([]);
  log.say(4, "alice", note("now"));
  log.say(5, "alice", note("now"));
  expect(fired).toEqual([4]);
});

import { expect, test } from "vitest";
import type { Saying } from "../base/record.ts";
import { eventOf, inWords } from "./client-event.ts";

const RELAY = "198.51.100.1:4433";
const ROWS: readonly (readonly [Saying, object, string])[] = [
  [
    {
      ev: "registration",
      state: "reconnecting",
      relay: RELAY,
      attempt: 2,
      delayMs: 1_000,
      supervisors: 1,
      reason: "handshake-timeout",
    },
    { type: "reconnecting", relay: RELAY, attempt: 2, delayMs: 1_000, reason: "handshake-timeout" },
    `registration reconnecting ${RELAY} attempt 2 in 1 s (handshake-timeout)`,
  ],
  [
    { ev: "registration", state: "switching", relay: RELAY, attempt: 1, delayMs: 0, supervisors: 1, reason: "relay changed" },
    { type: "switching", relay: RELAY, attempt: 1, delayMs: 0, reason: "relay changed" },
    `registration switching ${RELAY} attempt 1 now (relay changed)`,
  ],
  [
    { ev: "registration", state: "registered", relay: RELAY, attempt: 1, supervisors: 0 },
    { type: "registered", relay: RELAY },
    `registration registered ${RELAY}`,
  ],
  [
    { ev: "registration", state: "registered", relay: RELAY, attempt: 1, supervisors: 0, reason: "switched" },
    { type: "switched", relay: RELAY },
    `registration switched ${RELAY}`,
  ],
  [
    { ev: "registration", state: "refused", relay: RELAY, supervisors: 1, reason: "token-required" },
    { type: "refused", relay: RELAY, reason: "token-required" },
    `registration refused ${RELAY} (token-required)`,
  ],
  [{ ev: "registration", state: "idle", supervisors: 0 }, { type: "idle" }, "registration idle"],
  [{ ev: "call", call: "c1", state: "resumed", peer: "p1" }, { type: "resumed", call: "c1", peer: "p1" }, "call c1 resumed p1"],
  [
    { ev: "call", call: "c1", state: "ended", peer: "p1", reason: "peer-lost" },
    { type: "ended", call: "c1", peer: "p1", reason: "peer-lost" },
    "call c1 ended p1 (peer-lost)",
  ],
];

test.each(ROWS)("%j is an event for a screen, in the words of its terminal", (saying, event, words) => {
  const found = eventOf(saying);
  expect(found).toEqual(event);
  expect(found === undefined ? "" : inWords(found)).toBe(words);
});

test("nothing else is an event", () => {
  expect(eventOf({ ev: "note", text: "x" })).toBeUndefined();
  expect(eventOf({ ev: "session", session: 1, state: "silent" })).toBeUndefined();
});

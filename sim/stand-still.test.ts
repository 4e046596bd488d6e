/** What becomes of a client's voice while its process stands still, as in the real client: its device keeps 200 ms of it, and of a longer pause nothing. */
import { expect, test } from "vitest";
import type { LogRecord } from "../impl/base/record.ts";
import { pause, type Scenario, scenario, starve, type WrittenFault } from "../scenarios/index.ts";
import { runSim } from "./lab.ts";
import { nullCrypto } from "./null-crypto.ts";
import { sizedCodec } from "./sized-codec.ts";

const call = (...faults: WrittenFault[]): Scenario =>
  scenario({ name: "still", asks: "?", duration: "6s", expect: [], parties: {}, faults });
const recordsOf = (asked: Scenario): readonly LogRecord[] =>
  runSim({ scenario: asked, seed: 1 }, { codec: sizedCodec, crypto: nullCrypto }).records;
/** Packets of voice that bob sent. */
const sentBy = (records: readonly LogRecord[]): number =>
  records.reduce((sum, one) => (one.ev === "media-sent" && one.who === "bob" ? sum + one.n : sum), 0);
const whole = sentBy(recordsOf(call()));

test("after a short pause the device's frames are all sent, at once", () => {
  expect(sentBy(recordsOf(call(pause("bob", { at: "3s", for: "150ms" }))))).toBe(whole);
});

test("after a long one they are gone", () => {
  const sent = sentBy(recordsOf(call(pause("bob", { at: "3s", for: "400ms" }))));
  expect(whole - sent).toBeGreaterThanOrEqual(19);
  expect(whole - sent).toBeLessThanOrEqual(21);
});

test("a starved process runs in turns, says so, and nothing of its voice is lost", () => {
  const records = recordsOf(call(starve("bob", { at: "3s", for: "1s", share: 0.4, every: "100ms" })));
  const turns = records.filter((one) => one.ev === "process" && (one.state === "paused" || one.state === "resumed"));
  expect(turns.map((one) => one.t)).toEqual(
    Array.from({ length: 10 }, (_, turn) => [3_000_000 + turn * 100_000, 3_060_000 + turn * 100_000]).flat(),
  );
  expect(records.some((one) => one.ev === "fault" && one.label === "starve bob to 40 % in turns of 100ms")).toBe(true);
  expect(sentBy(records)).toBe(whole);
});

test("a pause that begins while a process is starved holds it to the pause's own end", () => {
  const records = recordsOf(
    call(starve("bob", { at: "3s", for: "1s", share: 0.4 }), pause("bob", { at: "3.25s", for: "500ms" })),
  );
  const states = records.flatMap((one) => (one.ev === "process" && one.who === "bob" ? [[one.t, one.state] as const] : []));
  const still = states.filter(([t]) => t >= 3_200_000 && t < 3_800_000);
  expect(still).toEqual([
    [3_200_000, "paused"],
    [3_760_000, "resumed"],
  ]);
});

import { afterAll, beforeAll, expect, test } from "vitest";
import { randomness } from "../impl/base/random.ts";
import { lacks } from "../netns/install.ts";
import { readLog } from "../reports/read-log.ts";
import { blackout, impair, interfaceDown, kill, pause, type Scenario, scenario, type WrittenFault } from "../scenarios/index.ts";
import { runSim } from "../sim/lab.ts";
import { nullCrypto } from "../sim/null-crypto.ts";
import { sizedCodec } from "../sim/sized-codec.ts";
import { openLaboratory } from "./laboratory.ts";
import { eventsOf } from "./reproduce/event-log-source.ts";
import { RECORDER } from "./reproduce/explanation.ts";
import { length, type Picture, pictureOfEvents } from "./reproduce/picture.ts";
import { reproduce } from "./reproduce/reproduction.ts";

/** Ten recordings of real processes on a real kernel, each with another accident. */
const ACCIDENTS: readonly (readonly [what: string, fault: (at: string, lasts: string) => WrittenFault])[] = [
  ["the relay is killed and comes back", (at, lasts) => kill("r1", { at, for: lasts })],
  ["the relay stands still", (at, lasts) => pause("r1", { at, for: lasts })],
  ["nothing passes the recorder's link", (at, lasts) => blackout("alice", { at, for: lasts })],
  ["nothing reaches the recorder", (at, lasts) => blackout("alice", { at, for: lasts, direction: "down" })],
  ["nothing passes the peer's link", (at, lasts) => blackout("bob", { at, for: lasts })],
  ["nothing comes from the peer", (at, lasts) => blackout("bob", { at, for: lasts, direction: "up" })],
  ["the recorder's cable is pulled", (at, lasts) => interfaceDown("alice", { at, for: lasts })],
  ["the peer's cable is pulled", (at, lasts) => interfaceDown("bob", { at, for: lasts })],
  ["the peer's process stands still", (at, lasts) => pause("bob", { at, for: lasts })],
  [
    "nearly everything of the peer's is lost",
    (at, lasts) => impair("bob", { at, for: lasts, direction: "up", link: { loss: 0.97 } }),
  ],
];
/** Calls at once. chosen: their parties are nine processes, which two processors carry. */
const AT_ONCE = 3;
/** As docs/contract.md promises. */
const SHOWN_WITHIN = 0.15;

const missing = (await lacks()).map((lack) => `${lack.what}${lack.command === null ? "" : ` (${lack.command})`}`).join("; ");
const laboratories = Array.from({ length: AT_ONCE }, () => openLaboratory());
let recordings: readonly (Picture | undefined)[] = [];

function happened(index: number): Scenario {
  const draw = randomness(0x6e6574).stream(`recording/${index}`);
  const ms = (from: number, to: number): string => `${from + draw.nextBelow(to - from)}ms`;
  const access = () => ({ link: { profile: "broadband", delay: ms(5, 60) } });
  const accident = ACCIDENTS[index]?.[1];
  if (accident === undefined) throw new RangeError(String(index));
  return scenario({
    name: `field-${index}`,
    asks: "What does a recording of it tell?",
    duration: "9s",
    parties: { alice: access(), bob: access(), r1: { role: "relay" } },
    faults: [accident(ms(3_000, 3_800), ms(700, 2_200))],
    expect: [],
  });
}

beforeAll(async () => {
  if (missing !== "") return;
  const waiting = ACCIDENTS.map((_, index) => index);
  const found: (Picture | undefined)[] = [];
  await Promise.all(
    laboratories.map(async (laboratory) => {
      for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
        const { lines } = await laboratory.run({
          lab: "netns",
          scenario: happened(index),
          seed: 1 + index,
          codec: "real",
          crypto: "real",
          folder: null,
          dir: "",
          wantLines: true,
          commit: "",
          sabotage: null,
        });
        found[index] = await pictureOfEvents(eventsOf(readLog(lines.join("\n")).records, "alice"));
      }
    }),
  );
  recordings = found;
});
afterAll(() => Promise.all(laboratories.map((laboratory) => laboratory.close())));

test("of ten recordings of accidents on a real kernel at least nine are shown again, the longest gap within 15 % of its length", async (context) => {
  if (missing !== "") context.skip(missing);
  const errors = await Promise.all(
    recordings.map(async (recording, index) => {
      if (recording?.worst === undefined) return `${ACCIDENTS[index]?.[0]}: no gap was recorded`;
      const shown = await reproduce(recording, "field", async (candidate) => {
        const { records } = runSim({ scenario: candidate, seed: 1 }, { codec: sizedCodec, crypto: nullCrypto });
        return pictureOfEvents(eventsOf(records, RECORDER));
      });
      const [wanted, got] = [length(recording.worst), shown?.picture.worst === undefined ? 0 : length(shown.picture.worst)];
      if (Math.abs(got - wanted) <= SHOWN_WITHIN * wanted) return undefined;
      return `${ACCIDENTS[index]?.[0]}: ${wanted / 1_000} ms were recorded, ${got / 1_000} ms are shown`;
    }),
  );
  const missed = errors.filter((error) => error !== undefined);
  expect(missed.length, missed.join("; ")).toBeLessThanOrEqual(1);
});

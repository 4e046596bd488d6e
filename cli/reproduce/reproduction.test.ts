import { describe, expect, test } from "vitest";
import { randomness } from "../../impl/base/random.ts";
import type { LogRecord } from "../../impl/base/record.ts";
import { blackout, impair, interfaceDown, kill, pause, scenario, type WrittenFault } from "../../scenarios/index.ts";
import { runSim } from "../../sim/lab.ts";
import { nullCrypto } from "../../sim/null-crypto.ts";
import { sizedCodec } from "../../sim/sized-codec.ts";
import { eventsOf } from "./event-log-source.ts";
import { RECORDER } from "./explanation.ts";
import { length, type Picture, pictureOfEvents } from "./picture.ts";
import { type Reproduction, reproduce } from "./reproduction.ts";
import { simpler } from "./simpler.ts";

const FAST = { codec: sizedCodec, crypto: nullCrypto };

/** What happened, by name, for so long. Neither the link nor the seed nor the instant is one that the code under test ever uses. */
const ACCIDENTS: readonly (readonly [cause: string, fault: (at: string, lasts: string) => WrittenFault])[] = [
  ["relay-restart", (at, lasts) => kill("r1", { at, for: lasts })],
  ["relay-stall", (at, lasts) => pause("r1", { at, for: lasts })],
  ["own-outage", (at, lasts) => blackout("alice", { at, for: lasts })],
  ["own-outage", (at, lasts) => blackout("alice", { at, for: lasts, direction: "down" })],
  ["peer-outage", (at, lasts) => blackout("bob", { at, for: lasts, direction: "up" })],
  ["peer-outage", (at, lasts) => interfaceDown("bob", { at, for: lasts })],
  ["own-outage", (at, lasts) => interfaceDown("alice", { at, for: lasts })],
  ["peer-stall", (at, lasts) => pause("bob", { at, for: lasts })],
  ["peer-outage", (at, lasts) => impair("bob", { at, for: lasts, direction: "up", link: { loss: 0.97 } })],
  ["relay-restart", (at, lasts) => kill("r1", { at, for: lasts })],
];

function recordingOf(index: number): readonly LogRecord[] {
  const draw = randomness(0xf1e1d).stream(`recording/${index}`);
  const ms = (from: number, to: number): string => `${from + draw.nextBelow(to - from)}ms`;
  const access = () => ({ link: { profile: "broadband", delay: ms(5, 80), jitter: ms(0, 4) } });
  const accident = ACCIDENTS[index]?.[1];
  if (accident === undefined) throw new RangeError(String(index));
  const happened = scenario({
    name: "field",
    asks: "?",
    duration: "16s",
    parties: { alice: access(), bob: access(), r1: { role: "relay" } },
    faults: [accident(ms(4_000, 6_000), ms(1_300, 4_000))],
    expect: [],
  });
  return runSim({ scenario: happened, seed: 4_711 + index }, FAST).records;
}

const show = async (candidate: Parameters<typeof runSim>[0]["scenario"]): Promise<Picture | undefined> =>
  pictureOfEvents(eventsOf(runSim({ scenario: candidate, seed: 1 }, FAST).records, RECORDER));

async function found(index: number): Promise<{ recording: Picture; reproduction: Reproduction }> {
  const recording = await pictureOfEvents(eventsOf(recordingOf(index), "alice"));
  const reproduction = recording && (await reproduce(recording, "field", show));
  if (recording === undefined || reproduction === undefined) throw new Error("nothing was heard");
  return { recording, reproduction };
}

describe("a recording's longest gap is shown again", () => {
  test.each(ACCIDENTS.map(([cause], index) => [index, cause] as const))(
    "recording %i, within 10 % of its length, and the cause is found: %s",
    async (index, cause) => {
      const { recording, reproduction } = await found(index);
      const [finding] = reproduction.findings;
      const [best] = finding?.attempts ?? [];
      expect(best?.explanation.name).toBe(cause);
      const wanted = length(recording.worst as NonNullable<Picture["worst"]>);
      expect(wanted).toBeGreaterThan(1_000_000);
      expect(Math.abs(length(reproduction.picture.worst as NonNullable<Picture["worst"]>) - wanted) / wanted).toBeLessThan(0.1);
    },
  );

  test("and stays while the scenario is made simpler: times that people write, and nothing that is not needed", async () => {
    const { recording, reproduction } = await found(0);
    const wanted = length(recording.worst as NonNullable<Picture["worst"]>);
    const simple = await simpler(
      { ...reproduction.scenario, faults: [...reproduction.scenario.faults, noise()] },
      reproduction.picture,
      show,
      ({ worst }) => worst !== undefined && Math.abs(length(worst) - wanted) <= 0.05 * wanted,
    );
    expect(simple.scenario.faults.map((fault) => fault.kind)).toEqual(["kill"]);
    const times = simple.scenario.faults.flatMap(({ when, for: lasts }) => ["at" in when ? when.at : -1, lasts ?? -1]);
    expect(times.map((time) => time % 10_000)).toEqual([0, 0]);
    expect(simple.scenario.parties[RECORDER]?.interfaces.eth0?.down.jitter).toBe(0);
  });
});

/** A fault that has no part in the gap. */
const noise = () =>
  ({
    kind: "impair",
    target: RECORDER,
    interface: "eth0",
    direction: "up",
    link: { delay: 30_000 },
    when: { at: 9_000_000 },
    for: 100_000,
  }) as const;

test("the laboratory's own records are not read: who knew what was done would not have to find it", async () => {
  const records = recordingOf(0);
  const told = records.filter((record) => record.who === "alice" && record.ev !== "process");
  expect(eventsOf(told, "alice")).toEqual(eventsOf(records, "alice"));
  expect(records.some((record) => record.ev === "fault")).toBe(true);
});

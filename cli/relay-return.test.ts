/** What a relay's restart costs: a call by the relay is well again within 300 ms and two round trips of its return, however long it was away, and there never is a second supervisor; a direct call costs nothing. */
import { expect, test } from "vitest";
import { seconds } from "../impl/base/units.ts";
import { assess } from "../reports/index.ts";
import type { Result } from "../reports/result.ts";
import relayDiesDirectLives from "../scenarios/cases/relay-dies-direct-lives.ts";
import relaySwitchAlone from "../scenarios/cases/relay-switch-alone.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { kill } from "../scenarios/index.ts";
import { restartedRelay } from "../scenarios/restarted-relay.ts";
import { runSim } from "../sim/lab.ts";
import { nullCrypto } from "../sim/null-crypto.ts";
import { sizedCodec } from "../sim/sized-codec.ts";

/** At the 50 ms of a round trip that `restartedRelay` has. */
const MOST_MS = 300 + 2 * 50;

function judged(scenario: Scenario, seed: number): Result {
  const { records, hash, virtualMs } = runSim({ scenario, seed }, { codec: sizedCodec, crypto: nullCrypto });
  const versions = { midcall: "", node: process.version, commit: "" };
  const told = { codec: "sized", crypto: "null", lab: "sim", seed: `${seed}`, wallMs: 0, dir: "" } as const;
  return assess({ scenario, records, hash, virtualMs, versions, ...told });
}

test.each([
  ...([0.2, 3, 40] as const).map((away) => [away, 20] as const),
  ...([0.35, 0.7, 1, 2, 5, 13, 29] as const).map((away) => [away, 2] as const),
])("after %d s (%d seeds)", (away, seeds) => {
  const scenario = restartedRelay({
    name: "relay-return",
    asks: "Is the call well again at once?",
    duration: `${Math.ceil(away) + 9}s`,
    within: `${MOST_MS}ms`,
    faults: [kill("r1", { at: "5s", for: `${away * 1_000}ms` })],
    twin: { mutation: "reset-ends-call", breaks: "same-call" },
  });
  for (let seed = 1; seed <= seeds; seed++) {
    const { verdict, measurements, oracles } = judged(scenario, seed);
    expect(verdict, `seed ${seed}`).toBe("held");
    expect(oracles.filter(({ name }) => name === "media-recovers" || name === "signalling-recovers")).toHaveLength(2);
    expect(measurements.recovery).toHaveLength(2);
    for (const { fromHealMs } of measurements.recovery) expect(fromHealMs).toBeLessThanOrEqual(MOST_MS);
    expect(Object.values(measurements.signal).map((one) => one.supervisorsMax)).toEqual([1, 1]);
  }
});

test("a direct call sounds the same, frame for frame, when its relay restarts and when it does not", () => {
  for (let seed = 1; seed <= 5; seed++) {
    const [restarted, undisturbed] = [relayDiesDirectLives, { ...relayDiesDirectLives, faults: [] }].map((scenario) =>
      judged(scenario, seed),
    );
    expect(restarted?.verdict, `seed ${seed}`).toBe("held");
    expect(restarted?.measurements.signal.alice?.reconnects).toBe(1);
    expect(undisturbed?.measurements.signal.alice?.reconnects).toBe(0);
    expect(restarted?.measurements.audio, `seed ${seed}`).toEqual(undisturbed?.measurements.audio);
    for (const one of Object.values(restarted?.measurements.audio ?? {})) expect(one?.framesPlayed).toBeGreaterThan(100);
  }
});

test("who moves to another relay alone is heard for the sixty seconds that its new relay waits for the other party", () => {
  // In virtual time no frame is late, so it is one row.
  const unbroken: Scenario = { ...relaySwitchAlone, expect: [{ oracle: "media-flows", frames: 60 * 50 }] };
  const { records } = runSim({ scenario: unbroken, seed: 1 }, { codec: sizedCodec, crypto: nullCrypto });
  const steps = records.flatMap((one) => (one.ev === "call" ? [one] : []));
  const movedAt = steps.find((one) => one.who === "alice" && one.state === "resumed")?.t;
  for (const party of ["alice", "bob"]) {
    const end = steps.find((one) => one.who === party && one.state === "ended");
    const waited = (end?.t ?? Number.NaN) - (movedAt ?? Number.NaN);
    expect(waited, party).toBeGreaterThanOrEqual(seconds(60));
    expect(waited, party).toBeLessThanOrEqual(seconds(62)); // the relay looks once a second
    expect(end, party).toMatchObject({ reason: "peer-lost" });
  }
  expect(judged(unbroken, 1).oracles.find(({ name }) => name === "media-flows")).toMatchObject({ verdict: "held" });
});

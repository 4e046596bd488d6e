/** A call by the relay is well again within 300 ms and two round trips of the relay's return, however long that was away, and there never is a second supervisor. */
import { expect, test } from "vitest";
import { assess } from "../reports/index.ts";
import { kill } from "../scenarios/index.ts";
import { restartedRelay } from "../scenarios/restarted-relay.ts";
import { runSim } from "../sim/lab.ts";
import { nullCrypto } from "../sim/null-crypto.ts";
import { sizedCodec } from "../sim/sized-codec.ts";

/** At the 50 ms of a round trip that `restartedRelay` has. */
const MOST_MS = 300 + 2 * 50;

test.each([0.2, 0.35, 0.7, 1, 2, 3, 5, 13, 29, 40])("after %d s", (away) => {
  const scenario = restartedRelay({
    name: "relay-return",
    asks: "Is the call well again at once?",
    duration: `${Math.ceil(away) + 9}s`,
    within: `${MOST_MS}ms`,
    faults: [kill("r1", { at: "5s", for: `${away * 1_000}ms` })],
    twin: { mutation: "reset-ends-call", breaks: "same-call" },
  });
  for (const seed of [1, 2]) {
    const { records, hash, virtualMs } = runSim({ scenario, seed }, { codec: sizedCodec, crypto: nullCrypto });
    const versions = { midcall: "", node: process.version, commit: "" };
    const told = { codec: "sized", crypto: "null", lab: "sim", seed: `${seed}`, wallMs: 0, dir: "" } as const;
    const { verdict, measurements } = assess({ scenario, records, hash, virtualMs, versions, ...told });
    expect(verdict, `seed ${seed}`).toBe("held");
    expect(measurements.recovery).toHaveLength(2);
    for (const { fromHealMs } of measurements.recovery) expect(fromHealMs).toBeLessThanOrEqual(MOST_MS);
    expect(Object.values(measurements.signal).map((one) => one.supervisorsMax)).toEqual([1, 1]);
  }
});

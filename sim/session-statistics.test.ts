/** What a client says of its sessions once a second, against the links that the run was given. */
import { expect, test } from "vitest";
import { impair } from "../scenarios/fault-builders.ts";
import { scenario } from "../scenarios/scenario.ts";
import { runSim } from "./lab.ts";
import { nullCrypto } from "./null-crypto.ts";
import { sizedCodec } from "./sized-codec.ts";

const link = { profile: "broadband", delay: "12500us" } as const;

test("a round trip a second, of the relay's session and of the direct one, which follows the delay of the link; and one from party to party", () => {
  const { records } = runSim(
    {
      scenario: scenario({
        ...{ name: "round-trips", asks: "How far?", duration: "20s", iceTransportPolicy: "all", tier: "adaptive" },
        parties: { alice: { link }, bob: { link } },
        faults: [impair("alice", { link: { delay: "50ms" }, at: "8s", for: "12s" })],
      }),
      seed: 7,
    },
    { codec: sizedCodec, crypto: nullCrypto },
  );
  const own = records.filter((one) => one.who === "alice");
  const direct = new Set(own.flatMap((one) => (one.ev === "candidate-pair" ? [one.session] : [])));
  const told = own.flatMap((one) => (one.ev === "session-stats" ? [one] : []));
  const between = (from: number, to: number, isDirect: boolean): number[] =>
    told
      .filter((one) => one.t >= from * 1e6 && one.t <= to * 1e6 && direct.has(one.session) === isDirect)
      .map((one) => Math.round(1_000 * one.currentRoundTripTime));
  // Voice goes directly: a second is never without it, and both links are 12.5 ms each way. An acknowledgement waits up to 25 ms for company.
  for (const ms of between(3, 8, true)) expect([ms >= 50, ms <= 80], String(ms)).toEqual([true, true]);
  expect(between(3, 8, true).length).toBe(6);
  // The bound below leaves room for what is smoothed.
  for (const ms of between(12, 19, true)) expect([ms >= 120, ms <= 155], String(ms)).toEqual([true, true]);
  expect(between(12, 19, true).length).toBe(8);
  expect(between(1, 4, false).length).toBeGreaterThan(0);
  for (const ms of between(1, 4, false)) expect([ms >= 25, ms <= 55], String(ms)).toEqual([true, true]);
  // Packets only grow, and none is lost here.
  for (const session of direct) {
    const sent = told.filter((one) => one.session === session).map((one) => one.packetsSent);
    expect(sent).toEqual([...sent].sort((a, b) => a - b));
  }
  const reported = own.flatMap((one) => (one.ev === "stats" && one.roundTripTime !== undefined ? [one] : []));
  const [before, after] = [reported.filter((one) => one.t < 8e6), reported.filter((one) => one.t > 12e6)];
  for (const one of before) expect(one.roundTripTime, String(one.t)).toBeCloseTo(0.055, 1);
  for (const one of after) expect(Math.abs((one.roundTripTime ?? 0) - 0.13), String(one.t)).toBeLessThan(0.03);
  expect(Math.min(before.length, after.length)).toBeGreaterThan(3);
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gilbert, meanLoss } from "./gilbert.ts";
import { parseScenario } from "./language.ts";
import { NAT_PRESETS } from "./nats.ts";
import { PROFILES } from "./profiles.ts";

const up = (name: string) => PROFILES.get(name)?.up;

describe("link profiles", () => {
  test.each([...PROFILES.values()])("$name is a link the language takes, and says where its numbers come from", (profile) => {
    expect(
      parseScenario({ name: "p", asks: "?", parties: { alice: profile.name, bob: { link: { profile: profile.name } } } }).ok,
    ).toBe(true);
    expect(profile.evidence.length).toBeGreaterThan(0);
  });

  test("RingRTC's numbers are those of its call simulator", () => {
    expect(up("ringrtc-moderate")).toMatchObject({ delay: 100_000, jitter: 25_000, loss: 0.05, burst: null, rate: null });
    expect(up("ringrtc-international")).toMatchObject({
      delay: 250_000,
      jitter: 100_000,
      burst: { p: 0.03, r: 0.25, lossGood: 0, lossBad: 1 },
      duplicate: 0.02,
      rate: { bps: 300_000, queueBytes: 375_000 },
    });
    expect(up("ringrtc-spiky-loss")).toMatchObject({ delay: 100_000, jitter: 20_000, burst: { p: 0.11, r: 0.25 } });
    expect(up("ringrtc-bursty-loss")).toMatchObject({ burst: { p: 0.03, r: 0.25 } });
  });

  test("the QUIC interop runner's numbers are those of its test cases", () => {
    const usual = { delay: 15_000, rate: { bps: 10_000_000, queueBytes: 37_500 } };
    expect(up("quic-interop")).toMatchObject({ ...usual, loss: 0 });
    expect(up("quic-longrtt")).toMatchObject({ ...usual, delay: 750_000 });
    expect(up("quic-transferloss")).toMatchObject({ ...usual, loss: 0.02 });
    expect(up("quic-handshakeloss")).toMatchObject({ ...usual, loss: 0.3 });
    expect(up("quic-amplificationlimit")).toMatchObject({ ...usual, drop: [2, 3, 4, 5, 6, 7] });
    expect(PROFILES.get("quic-amplificationlimit")?.down.drop).toEqual([]);
  });

  test("a Gilbert model loses what it was asked to lose, in bursts of the length asked for", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.9, noNaN: true }), fc.double({ min: 10, max: 100, noNaN: true }), (loss, length) => {
        const model = gilbert(loss, length);
        return Math.abs(meanLoss(model) - loss) < 1e-3 && Math.abs(1 / model.r - length) < 0.01;
      }),
      { seed: 3, numRuns: 500 },
    );
  });

  test.each([
    [0.9, 1],
    [1, 5],
    [0.1, 0.5],
    [Number.NaN, 2],
  ])("no Gilbert model loses %d in bursts of %d", (loss, length) => expect(() => gilbert(loss, length)).toThrow(RangeError));
});

describe("NAT presets", () => {
  test("the four classic kinds are told apart by RFC 4787's two behaviours", () => {
    const kind = (name: string) => [NAT_PRESETS.get(name)?.model.mapping, NAT_PRESETS.get(name)?.model.filtering];
    expect(kind("full-cone")).toEqual(["endpoint-independent", "endpoint-independent"]);
    expect(kind("restricted-cone")).toEqual(["endpoint-independent", "address-dependent"]);
    expect(kind("port-restricted")).toEqual(["endpoint-independent", "address-and-port-dependent"]);
    expect(kind("symmetric")).toEqual(["address-and-port-dependent", "address-and-port-dependent"]);
  });

  test.each([...NAT_PRESETS.values()])("$name says where its behaviour comes from", (preset) =>
    expect(preset.evidence.length).toBeGreaterThan(0),
  );
});

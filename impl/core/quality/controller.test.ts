import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_FEC, nameOfScheme } from "../../base/fec-scheme.ts";
import { Stream } from "../../base/random.ts";
import { TIERS, type Tier } from "../../base/tier.ts";
import { Instant } from "../../base/units.ts";
import { type Config, type Effect, type Input, MAX_RATE, type State, start, step } from "./controller.ts";
import { schemeOf, sealedRate, TOP_LEVEL, wireRate } from "./redundancy.ts";

const CONFIG: Config = { tier: "adaptive", adaptsFec: true, scheme: NO_FEC, peer: ["red", "rlc", "rs"], maxRate: MAX_RATE };
const EVERY = 500_000;
const PACKETS: Readonly<Record<Tier, number>> = { good: 25, degraded: 12, catastrophic: 6 };

type Link = { readonly loss: number; readonly burst: number; readonly capacityBps: number; readonly jitterMs: number };
const CLEAN: Link = { loss: 0, burst: 1, capacityBps: 1e9, jitterMs: 1 };

/** A link that a report is drawn from: Gilbert loss, and a queue when the tier asks for more than there is. */
class World {
  readonly #random: Stream;
  state: State;
  now = 1_000_000;
  #bad = false;
  readonly changes: { readonly at: number; readonly effect: Effect }[] = [];
  readonly config: Config;

  constructor(seed: number, config: Config = CONFIG) {
    this.#random = new Stream(seed, "controller");
    this.config = config;
    this.state = start(config);
  }

  report(link: Link): void {
    this.now += EVERY;
    const packets = PACKETS[this.state.tier];
    const [leave, enter] = [1 / link.burst, link.loss / link.burst / Math.max(0.001, 1 - link.loss)];
    let [lost, runs] = [0, 0];
    for (let i = 0; i < packets; i++) {
      const was = this.#bad;
      this.#bad = link.loss > 0 && this.#random.nextUnit() < (was ? 1 - leave : enter);
      if (this.#bad) lost++;
      if (this.#bad && !was) runs++;
    }
    const sentBps = sealedRate(this.state.tier) * 1.2;
    const overload = sentBps / link.capacityBps;
    const input: Input = {
      type: "report",
      packets,
      loss: lost / packets,
      burst: runs === 0 ? Math.max(1, lost) : lost / runs,
      rttMs: 40,
      jitterMs: link.jitterMs,
      queueMs: overload > 1 ? 400 : link.jitterMs,
      deliveredBps: Math.min(sentBps * (1 - lost / packets), link.capacityBps),
      sentBps,
    };
    const [next, effects] = step(this.config, this.state, Instant(this.now), input);
    this.state = next;
    for (const effect of effects) this.changes.push({ at: this.now, effect });
  }

  live(seconds: number, link: Link): void {
    for (let i = 0; i < seconds * 2; i++) this.report(link);
  }

  /** Instants at which the tier turned from going up to going down, or the other way round. */
  turns(): number[] {
    const tiers = [
      { at: 0, tier: start(this.config).tier },
      ...this.changes.map(({ at, effect }) => ({ at, tier: effect.tier })),
    ];
    const turns: number[] = [];
    let way = 0;
    for (let i = 1; i < tiers.length; i++) {
      const [a, b] = [tiers[i - 1] as { tier: Tier }, tiers[i] as { at: number; tier: Tier }];
      const next = Math.sign(TIERS.indexOf(b.tier) - TIERS.indexOf(a.tier));
      if (next === 0) continue;
      if (way !== 0 && next !== way) turns.push(b.at);
      way = next;
    }
    return turns;
  }
}

describe("tiers", () => {
  it.each([
    [CLEAN, "good"],
    [{ ...CLEAN, loss: 0.05 }, "good"],
    [{ ...CLEAN, loss: 0.3 }, "degraded"],
    [{ ...CLEAN, loss: 0.6 }, "catastrophic"],
    [{ ...CLEAN, capacityBps: 20_000 }, "degraded"],
    [{ ...CLEAN, capacityBps: 6_000 }, "catastrophic"],
  ] as const)("%o is spoken over in %s within four seconds, and for a minute", (link, tier) => {
    const world = new World(1);
    world.live(6, link);
    expect(world.state.tier).toBe(tier);
    if (link.capacityBps === CLEAN.capacityBps) {
      world.live(60, link);
      expect(world.state.tier).toBe(tier);
    }
  });

  it("what was left is returned to once the link is whole, and not before ten seconds", () => {
    const world = new World(2);
    world.live(20, { ...CLEAN, loss: 0.6 });
    const healed = world.now;
    world.live(60, CLEAN);
    expect(world.state.tier).toBe("good");
    const back = world.changes.filter(({ at, effect }) => at > healed && effect.tier === "good")[0]?.at ?? 0;
    expect(back - healed).toBeGreaterThan(10_000_000);
    expect(back - healed).toBeLessThan(60_000_000);
  });

  it("a fixed tier stays whatever comes", () => {
    const world = new World(3, { ...CONFIG, tier: "degraded" });
    world.live(30, { ...CLEAN, loss: 0.7 });
    expect(world.state.tier).toBe("degraded");
    expect(world.state.level).toBeGreaterThan(2);
  });

  it("an outage, in which nothing is judged, changes nothing", () => {
    const before = start(CONFIG);
    const silent: Input = {
      ...{ type: "report", packets: 0, loss: 0, burst: 1, rttMs: undefined },
      ...{ jitterMs: 0, queueMs: 0, deliveredBps: 0, sentBps: 40_000 },
    };
    expect(step(CONFIG, before, Instant(5_000_000), silent)).toEqual([before, []]);
  });
});

it("a steady link sees at most one turn there and back in ten seconds, whatever it is like", () => {
  const links = fc.record({
    loss: fc.double({ min: 0, max: 0.75, noNaN: true }),
    burst: fc.double({ min: 1, max: 6, noNaN: true }),
    capacityBps: fc.integer({ min: 3_000, max: 200_000 }),
    jitterMs: fc.integer({ min: 0, max: 80 }),
  });
  fc.assert(
    fc.property(links, fc.integer({ min: 0, max: 1e6 }), (link, seed) => {
      const world = new World(seed, CONFIG);
      world.live(180, link);
      const turns = world.turns();
      // There and back are two turns.
      for (let i = 2; i < turns.length; i++) expect((turns[i] as number) - (turns[i - 2] as number)).toBeGreaterThan(10_000_000);
    }),
    { seed: 11, numRuns: 300 },
  );
});

it("never asks the wire for more than it may, or for what the peer does not know", () => {
  const means = fc.record({
    bursty: fc.boolean(),
    hold: fc.integer({ min: 0, max: 400_000 }),
    rate: fc.integer({ min: 60_000, max: 200_000 }),
    peer: fc.subarray(["red", "rlc", "rs"]),
  });
  fc.assert(
    fc.property(fc.constantFrom(...TIERS), fc.integer({ min: 0, max: TOP_LEVEL }), means, (tier, level, given) => {
      const scheme = schemeOf(tier, level, given);
      expect(wireRate(tier, scheme)).toBeLessThanOrEqual(Math.max(given.rate, wireRate(tier, NO_FEC)));
      if (scheme.scheme !== "none") expect(given.peer).toContain(scheme.scheme);
    }),
    { seed: 5, numRuns: 500 },
  );
});

it("redundancy follows loss and burstiness", () => {
  const after = (link: Link): string => {
    const world = new World(4, { ...CONFIG, tier: "good" });
    world.live(30, link);
    return nameOfScheme(world.state.scheme);
  };
  expect(after(CLEAN)).toBe("none");
  expect(after({ ...CLEAN, loss: 0.05 })).toBe("red 1");
  expect(after({ ...CLEAN, loss: 0.14 })).toBe("rlc 8 at 140 %");
  expect(after({ ...CLEAN, loss: 0.14, burst: 4 })).toBe("rs 2+2 x4 aboard");
});

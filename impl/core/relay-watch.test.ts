import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Address } from "../base/address.ts";
import { Stream } from "../base/random.ts";
import { Instant, type Micros, millis, seconds } from "../base/units.ts";
import { parseStun } from "../wire/stun.ts";
import * as watch from "./relay-watch.ts";

const V6 = "[2001:db8::3]:4433" as Address;
const V4 = "198.51.100.3:4433" as Address;

type World = {
  readonly isUrgent: boolean;
  /** When the peer's packets come: of speech as a rule. */
  readonly speaks?: (at: Instant) => boolean;
  /** Whether a packet from `way` is lost, and one to it: the same unless told. */
  readonly loses: (at: Instant, way: Address) => boolean;
  readonly losesUp?: (at: Instant, way: Address) => boolean;
  readonly rtt?: Micros;
  readonly until: Micros;
  readonly seed?: number;
  readonly before?: watch.State;
};

type Outcome = {
  readonly movedAt: number | undefined;
  readonly questions: readonly (readonly [number, Address])[];
  readonly state: watch.State;
};

/** A relay that sends the peer's packets by IPv6 and answers questions by both, a round trip later. */
function play({
  isUrgent,
  speaks = (at) => at % 20_000 === 0,
  loses,
  losesUp = loses,
  rtt = millis(25),
  until,
  seed = 1,
  before,
}: World): Outcome {
  const stream = new Stream(seed, "watch");
  const config: watch.Config = { entropy: (length) => stream.nextBytes(length), isPrivate: false, isUrgent };
  let state = watch.start(Instant(0), V6, [V4], rtt, before);
  const questions: [number, Address][] = [];
  const answers: { at: number; from: Address; transaction: Uint8Array }[] = [];
  for (let ms = 0; ms <= until / 1_000; ms++) {
    const now = Instant(ms * 1_000);
    if (speaks(now) && !loses(now, V6)) [state] = watch.step(config, state, now, { type: "heard" });
    for (const { from, transaction } of answers.filter(({ at }) => at === now))
      if (watch.isAbout(state, from, transaction))
        [state] = watch.step(config, state, now, { type: "response", from, transaction });
    const due = watch.deadline(config, state);
    if (due === undefined || due > now) continue;
    const [next, effects] = watch.step(config, state, now, { type: "wake" });
    state = next;
    for (const effect of effects) {
      if (effect.type === "move") return { movedAt: ms, questions, state };
      questions.push([ms, effect.to]);
      const stun = parseStun(effect.bytes);
      if (!stun.ok) throw new Error("not a STUN request");
      const at = now + rtt;
      if (!losesUp(now, effect.to) && !loses(Instant(at), effect.to))
        answers.push({ at, from: effect.to, transaction: stun.transactionId });
    }
  }
  return { movedAt: undefined, questions, state };
}

/** Packets lost at random, as many on either way, with another draw for each packet. */
const random = (ratio: number, seed: number): World["loses"] => {
  const stream = new Stream(seed, "loss");
  return () => stream.nextUnit() < ratio;
};
const deadFrom =
  (dead: Address, since: Micros): World["loses"] =>
  (at, way) =>
    way === dead && at >= since;

describe("under a call", () => {
  test("the address in use alone is asked, five times a second at most, whatever the peer says", () => {
    for (const speaks of [(at: Instant) => at % 20_000 === 0, (at: Instant) => at % 180_000 === 0, () => false]) {
      const { movedAt, questions } = play({ isUrgent: true, speaks, loses: () => false, until: seconds(10) });
      expect([movedAt, questions.every(([, to]) => to === V6)]).toEqual([undefined, true]);
      expect(questions.length).toBeLessThanOrEqual(50);
    }
  });

  test("an address that dies is left within 400 ms for one that answers, whatever the instant", () => {
    for (let since = 0; since < 230; since += 10) {
      const { movedAt = Number.POSITIVE_INFINITY } = play({
        isUrgent: true,
        loses: deadFrom(V6, millis(1_000 + since)),
        until: seconds(3),
      });
      expect(movedAt - 1_000 - since).toBeLessThanOrEqual(410);
    }
  });

  test("an address that no longer takes what is sent there is left within 560 ms, though the peer is heard from there", () => {
    for (let since = 0; since < 230; since += 10) {
      const world = { isUrgent: true, loses: () => false, losesUp: deadFrom(V6, millis(1_000 + since)), until: seconds(3) };
      expect((play(world).movedAt ?? Number.POSITIVE_INFINITY) - 1_000 - since).toBeLessThanOrEqual(560);
    }
  });

  test("where no address answers, none is better, and questions go on at their pace", () => {
    const { movedAt, questions } = play({ isUrgent: true, loses: (at) => at >= millis(1_000), until: seconds(2) });
    expect(movedAt).toBeUndefined();
    expect(questions.length).toBeGreaterThan(30);
    expect(questions.length).toBeLessThanOrEqual(44);
  });

  test("a relay that is heard and knows no STUN is asked for a second, and then ever more seldom", () => {
    const { movedAt, questions } = play({ isUrgent: true, loses: () => false, losesUp: () => true, until: seconds(60) });
    expect(movedAt).toBeUndefined();
    expect(questions.length).toBeLessThan(90);
    expect(questions.at(-1)?.[0]).toBeGreaterThan(50_000);
  });

  test("an outage of both addresses, and a long round trip, are no reason to change", () => {
    const outage: World["loses"] = (at) => at >= millis(1_000) && at < millis(1_600);
    expect(play({ isUrgent: true, loses: outage, until: seconds(5) }).movedAt).toBeUndefined();
    const slow = { isUrgent: true, speaks: () => false, loses: () => false, rtt: millis(600), until: seconds(20) };
    expect(play(slow).movedAt).toBeUndefined();
  });

  test("loss alone moves nobody: up to 20 % of packets each way, speech or silence", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.constantFrom(0.05, 0.1, 0.2), (seed, ratio) => {
        const world = { isUrgent: true, loses: random(ratio, seed), until: seconds(20), seed };
        expect(play(world).movedAt).toBeUndefined();
      }),
      { seed: 7, numRuns: 16 },
    );
    // Silence at 10 %: one question in five has no answer.
    for (let seed = 1; seed <= 20; seed++) {
      const speaks = (at: Instant): boolean => at % 180_000 === 0;
      expect(play({ isUrgent: true, speaks, loses: random(0.1, seed), until: seconds(30), seed }).movedAt).toBeUndefined();
    }
  });

  test("each move makes the next one harder, and ten calm seconds make it easier again", () => {
    const world = { isUrgent: true, loses: deadFrom(V6, millis(0)), until: seconds(3) };
    const first = play(world);
    const second = play({ ...world, before: first.state });
    const third = play({ ...world, before: second.state });
    expect([first, second, third].map(({ state }) => state.needed)).toEqual([4, 8, 10]);
    expect(second.movedAt).toBeGreaterThan(first.movedAt ?? Number.POSITIVE_INFINITY);
    const calm = play({ isUrgent: true, speaks: () => false, loses: () => false, until: seconds(31), before: second.state });
    expect(calm.state.needed).toBe(2);
  });

  test("an answer that comes late is known as one", () => {
    const config: watch.Config = { entropy: (length) => new Uint8Array(length).fill(9), isPrivate: false, isUrgent: true };
    const [asked] = watch.step(config, watch.start(Instant(0), V6, [V4], millis(25)), Instant(300_000), { type: "wake" });
    const [answered] = watch.step(config, asked, Instant(310_000), {
      type: "response",
      from: V6,
      transaction: new Uint8Array(12).fill(9),
    });
    const [heard] = watch.step(config, answered, Instant(320_000), { type: "heard" });
    expect([answered.rounds, heard.rtt]).toEqual([[], millis(10)]);
    expect(watch.isAbout(heard, V4, new Uint8Array(12).fill(9))).toBe(true);
    expect(watch.isAbout(heard, V4, new Uint8Array(12).fill(8))).toBe(false);
    expect(watch.isAbout(heard, "203.0.113.9:4433" as Address, new Uint8Array(12).fill(9))).toBe(false);
  });
});

describe("without a call", () => {
  const rest = { isUrgent: false, speaks: () => false };

  test("the address in use alone is asked, every five seconds give or take a fifth", () => {
    const { questions } = play({ ...rest, loses: () => false, until: seconds(60) });
    expect(questions.every(([, to]) => to === V6)).toBe(true);
    const gaps = questions.slice(1).map(([at], i) => at - (questions[i]?.[0] ?? 0));
    for (const gap of gaps) expect(Math.abs(gap - 5_000)).toBeLessThanOrEqual(1_030);
    expect(new Set(gaps).size).toBeGreaterThan(5);
  });

  test("a dead address is left within seven seconds", () => {
    for (let since = 0; since < 6_000; since += 500) {
      const { movedAt = Number.POSITIVE_INFINITY } = play({
        ...rest,
        loses: deadFrom(V6, millis(6_000 + since)),
        until: seconds(20),
      });
      expect(movedAt - 6_000 - since).toBeLessThanOrEqual(7_000);
    }
  });

  test("where nobody answers the questions become few", () => {
    expect(play({ ...rest, loses: () => true, until: seconds(60) }).questions.length).toBeLessThan(40);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Instant, seconds } from "../base/units.ts";
import * as refuge from "./refuge.ts";

const home = { address: "198.51.100.1:4433", pin: "aa", token: "sesame" };
const other = { addr: "198.51.100.2:4433", pin: "bb" };
const third = { addr: "198.51.100.3:4433", pin: "cc" };
const draining = { type: "RelayDraining", alternatives: [{ addr: home.address, pin: home.pin }, other, third] } as const;

describe("a client whose relay asks to be left", () => {
  it("goes to each alternative in turn and then back, with the token it has, and asks the last one for ever", () => {
    let state = refuge.asked(refuge.start(), Instant(0), home, draining, 0.9);
    const tried: (string | undefined)[] = [];
    for (const failed of [false, true, true, true, true]) {
      const [next, relay] = refuge.next(state, Instant(0), failed);
      state = next;
      tried.push(relay?.address);
      if (relay !== undefined) expect(relay.token).toBe("sesame");
    }
    expect(tried).toEqual([other.addr, third.addr, home.address, undefined, undefined]);
  });

  it("takes two addresses in a row for one relay where they are of both families and it has one certificate", () => {
    const [six, four, last] = ["[2001:db8::2]:4433", other.addr, "[2001:db8::4]:4433"];
    const alternatives = [{ addr: six, pin: "bb" }, { addr: four, pin: "bb" }, { addr: last, pin: "bb" }, third];
    const state = refuge.asked(refuge.start(), Instant(0), home, { type: "RelayDraining", alternatives }, 0);
    expect(state.relays.map(({ address, also }) => [address, ...(also ?? [])])).toEqual([
      [six, four],
      [last],
      [third.addr],
      [home.address],
    ]);
  });

  it("leaves at once when no time is given, and within half of it when one is", () => {
    expect(refuge.deadline(refuge.asked(refuge.start(), Instant(7), home, draining, 0.9))).toBe(7);
    fc.assert(
      fc.property(fc.nat(60_000), fc.double({ min: 0, max: 0.999, noNaN: true }), (deadline_ms, chance) => {
        const state = refuge.asked(refuge.start(), Instant(0), home, { ...draining, deadline_ms }, chance);
        const at = refuge.deadline(state) ?? -1;
        expect(at).toBeGreaterThanOrEqual(0);
        expect(at).toBeLessThanOrEqual(Math.min(deadline_ms * 500, seconds(10)));
        if (at > 0) expect(refuge.next(state, Instant(at - 1), false)[1]).toBeUndefined();
        expect(refuge.next(state, Instant(at), false)[1]?.address).toBe(other.addr);
      }),
      { seed: 6, numRuns: 200 },
    );
  });

  it("stays where there is nowhere to go, and is not put off by being asked again", () => {
    const nowhere = refuge.asked(refuge.start(), Instant(0), home, { type: "RelayDraining" }, 0.5);
    expect(refuge.next(nowhere, Instant(9), true)[1]).toBeUndefined();
    const long = { ...draining, deadline_ms: 10_000 };
    const asked = refuge.asked(refuge.start(), Instant(0), home, long, 0.5);
    expect(refuge.asked(asked, Instant(1), home, long, 0.9)).toEqual(asked);
  });
});

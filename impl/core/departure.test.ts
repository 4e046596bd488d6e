import { describe, expect, it } from "vitest";
import { Instant, millis, seconds } from "../base/units.ts";
import { Departures } from "./departure.ts";
import { startLink } from "./relay-link.ts";

const link = (id: number) => startLink(id, { address: "198.51.100.1:4433", pin: "aa" }, "198.51.100.1:4433", Instant(0));
const at = (value: number): Instant => Instant.after(Instant(0), seconds(value));

describe("sessions that are left", () => {
  it("one without a call is closed once its last words have had time to arrive", () => {
    const departures = new Departures();
    departures.leave(link(1), at(0), false);
    expect(departures.carrier()).toBeUndefined();
    expect(departures.deadline()).toBe(millis(300));
    expect(departures.due(Instant(299_999))).toEqual([]);
    expect(departures.due(Instant(300_000))).toEqual([1]);
    expect(departures.deadline()).toBeUndefined();
  });

  it("one that carries a call stays until it is relieved, and then as long as any other", () => {
    const departures = new Departures();
    departures.leave(link(1), at(0), true);
    expect(departures.due(at(60))).toEqual([]);
    expect(departures.carrier()?.id).toBe(1);
    departures.relieve(at(60));
    expect(departures.carrier()).toBeUndefined();
    expect(departures.due(at(60))).toEqual([]);
    expect(departures.due(at(60.3))).toEqual([1]);
  });

  it("of several the latest that carries the call is its way, and none carries it for more than two minutes", () => {
    const departures = new Departures();
    departures.leave(link(1), at(0), true);
    departures.leave(link(2), at(1), false);
    departures.leave(link(3), at(2), true);
    expect(departures.carrier()?.id).toBe(3);
    departures.closed(3);
    expect(departures.carrier()?.id).toBe(1);
    expect(departures.due(at(119))).toEqual([2]);
    expect(departures.due(at(120))).toEqual([1]);
  });
});

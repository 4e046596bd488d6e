import { expect, test } from "vitest";
import { Instant, seconds } from "../impl/base/units.ts";
import type { NatBehaviour } from "../scenarios/expanded.ts";
import { Firewall } from "./firewall.ts";

const INSIDE = "[2001:db8:1::2]:4433";
const [PEER, OTHER_PORT, STRANGER] = ["[2001:db8:2::2]:1000", "[2001:db8:2::2]:2000", "[2001:db8:3::2]:1000"];
const at = (second: number): Instant => Instant(seconds(second));
const firewall = (filtering: NatBehaviour, inboundRefresh = true): Firewall =>
  new Firewall({ filtering, lifetime: seconds(120), inboundRefresh });

test.each<[NatBehaviour, boolean[]]>([
  ["endpoint-independent", [true, true, true]],
  ["address-dependent", [true, true, false]],
  ["address-and-port-dependent", [true, false, false]],
])("%s filtering lets in whom it should, and nobody before the inside has sent", (filtering, admitted) => {
  const box = firewall(filtering);
  expect(box.inbound(at(0), PEER, INSIDE)).toEqual({ ok: false, fault: undefined });
  box.outbound(at(1), INSIDE, PEER);
  expect([PEER, OTHER_PORT, STRANGER].map((from) => box.inbound(at(2), from, INSIDE).ok)).toEqual(admitted);
  expect(box.inbound(at(2), PEER, "[2001:db8:1::3]:4433").ok).toBe(false);
});

test("a flow lives for its lifetime; packets from outside prolong it where they may", () => {
  for (const [inboundRefresh, still] of [
    [true, true],
    [false, false],
  ] as const) {
    const box = firewall("address-dependent", inboundRefresh);
    box.outbound(at(0), INSIDE, PEER);
    expect(box.inbound(at(119), PEER, INSIDE).ok).toBe(true);
    expect(box.inbound(at(200), PEER, INSIDE).ok).toBe(still);
    expect(box.inbound(at(330), PEER, INSIDE).ok).toBe(false);
  }
});

test("what a fault made it forget is blamed on the fault", () => {
  const box = firewall("address-and-port-dependent");
  box.outbound(at(0), INSIDE, PEER);
  box.expire(at(1), 7);
  expect(box.inbound(at(2), PEER, INSIDE)).toEqual({ ok: false, fault: 7 });
  expect(box.inbound(at(2), STRANGER, INSIDE)).toEqual({ ok: false, fault: undefined });
  box.outbound(at(3), INSIDE, PEER);
  expect(box.inbound(at(4), PEER, INSIDE)).toEqual({ ok: true });
});

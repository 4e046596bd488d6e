import { describe, expect, it } from "vitest";
import { Stream } from "../base/random.ts";
import { encodeSignal } from "../wire/signal.ts";
import type { Endpoint } from "./session.ts";
import { type Active, type SignallingEffect, SignallingFilter } from "./signalling-filter.ts";

const update = (generation: number): Uint8Array => encodeSignal({ type: "CandidateUpdate", call_id: "0".repeat(32), generation });
const none: SignallingEffect = { duplicate: 0, reorder: 0, delay: 0, types: [] };

/** A filter over an endpoint that notes what was sent, and a clock that runs when told. */
function world(effect: Partial<SignallingEffect>, direction: Active["direction"] = "up") {
  const timers: { length: number; action: () => void }[] = [];
  const sent: Uint8Array[] = [];
  const filter = new SignallingFilter((length, action) => void timers.push({ length, action }));
  const active: Active = { direction, effect: { ...none, ...effect }, stream: new Stream(1, "test"), touched: 0 };
  const lift = filter.lay(active);
  const endpoint = filter.outgoing({
    send: (_session: number, bytes: Uint8Array) => void sent.push(bytes),
  } as unknown as Endpoint);
  return { active, sent, lift, timers, send: (bytes: Uint8Array) => endpoint.send(1, bytes) };
}

describe("a signalling filter", () => {
  it("duplicates the share it is told, and counts what it touched", () => {
    const w = world({ duplicate: 0.25 });
    for (let i = 0; i < 4_000; i++) w.send(update(i));
    expect(w.sent.length - 4_000).toBe(w.active.touched);
    expect(w.active.touched / 4_000).toBeCloseTo(0.25, 1);
  });

  it("puts another's key share under the signature of a share, and leaves messages that carry none as they are", () => {
    const own = { identity: "1".repeat(64), share: "2".repeat(64), signature: "3".repeat(128) };
    const head = { call_id: "0".repeat(32), caller_fingerprint: "a".repeat(32), callee_fingerprint: "b".repeat(32) };
    const offer = encodeSignal({ type: "DirectCallOffer", ...head, caller_share: own });
    const w = world({ forge: 1 });
    w.send(offer);
    w.send(update(1));
    const [forged, untouched] = w.sent;
    expect(untouched).toEqual(update(1));
    expect(w.active.touched).toBe(1);
    const [before, after] = [offer, forged].map((bytes) => JSON.parse(new TextDecoder().decode(bytes)));
    const { share } = after.caller_share;
    expect(share).toMatch(/^[0-9a-f]{64}$/);
    expect(share).not.toBe(own.share);
    expect(after).toEqual({ ...before, caller_share: { ...own, share } });
  });

  it("delays every message by its delay, and holds back the share it reorders", () => {
    const w = world({ delay: 50_000, reorder: 0.5 });
    for (let i = 0; i < 200; i++) w.send(update(i));
    expect(w.sent).toEqual([]);
    const waits = new Set(w.timers.map((timer) => timer.length));
    expect([...waits].sort((a, b) => a - b)).toEqual([50_000, 350_000]);
    for (const timer of w.timers) timer.action();
    expect(w.sent).toHaveLength(200);
  });

  it("leaves other types, the other direction and everything after its heal alone", () => {
    const types = world({ duplicate: 1, types: ["Hangup"] });
    types.send(update(1));
    const down = world({ duplicate: 1 }, "down");
    down.send(update(1));
    const healed = world({ duplicate: 1 });
    healed.lift();
    healed.send(update(1));
    expect([types.sent.length, down.sent.length, healed.sent.length]).toEqual([1, 1, 1]);
  });
});

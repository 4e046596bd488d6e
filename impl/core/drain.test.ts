/** A relay that drains: whom it asks to go, whom it takes in, and when it is done. */
import { expect, test } from "vitest";
import { seconds } from "../base/units.ts";
import { parseSignal, type SignalMessage } from "../wire/signal.ts";
import type { Effect } from "./effect.ts";
import type { Identity } from "./identity.ts";
import { nobleCrypto } from "./noble-crypto.ts";
import { signRegistration } from "./registration.ts";
import { accept, alice, bob, mallory, offer, PIN, type World, world } from "./relay-world.fixture.ts";

const OTHER = { address: "192.0.2.201:4433", pin: "ab".repeat(32) } as const;
const drain = (w: World, within = 10): readonly Effect[] => w.step({ type: "drain", within: seconds(within), refuges: [OTHER] });
const sent = (effects: readonly Effect[]): (readonly [number, SignalMessage])[] =>
  effects.flatMap((effect) => {
    const parsed = effect.type === "send" ? parseSignal(effect.bytes) : undefined;
    return effect.type === "send" && parsed?.ok === true ? [[effect.session, parsed.message] as const] : [];
  });
const ends = (effects: readonly Effect[]): unknown[] =>
  effects.flatMap((effect) =>
    effect.type === "finish" || (effect.type === "say" && effect.saying.ev === "drain") ? [effect] : [],
  );
const closed = (effects: readonly Effect[]): unknown[] => effects.filter(({ type }) => type === "close");
const leaves = (w: World, session: number): readonly Effect[] =>
  w.step({ type: "session", session, event: { type: "closed", reason: "peer" } });
const registers = (w: World, session: number, who: Identity): readonly Effect[] =>
  w.say(session, { type: "Register", ...signRegistration(nobleCrypto, who, PIN, new Uint8Array(16)) });

test("every client is told where to go and how long there is, and nobody is cut off", () => {
  const effects = drain(world([alice, bob]));
  const message = { type: "RelayDraining", deadline_ms: 10_000, alternatives: [{ addr: OTHER.address, pin: OTHER.pin }] };
  expect(sent(effects)).toEqual([
    [-1, message],
    [-2, message],
  ]);
  expect(closed(effects)).toEqual([]);
});

test("it is done when the last client has left, and not before", () => {
  const w = world([alice, bob]);
  drain(w);
  expect(ends(leaves(w, -1))).toEqual([]);
  expect(ends(leaves(w, -2))).toEqual([
    { type: "say", saying: { ev: "drain", state: "done", sessions: 0, calls: 0 } },
    { type: "finish" },
  ]);
});

test("a relay without clients is done at once", () => {
  expect(ends(drain(world([]))).at(-1)).toEqual({ type: "finish" });
});

test("whoever stays is cut off when the time is over, and not before", () => {
  const w = world([alice, bob]);
  drain(w);
  expect(ends(w.pass(9.999))).toEqual([]);
  const effects = w.pass(0.001);
  expect(ends(effects).at(0)).toMatchObject({ saying: { state: "overdue", sessions: 2 } });
  expect(closed(effects)).toHaveLength(3);
});

test("a newcomer is not taken in: it is shown where else to go and let go, which costs it an attempt and not its wish", () => {
  const w = world([alice]);
  drain(w);
  const effects = registers(w, -3, mallory);
  expect(sent(effects)).toMatchObject([[-3, { type: "RelayDraining", alternatives: [{ addr: OTHER.address }] }]]);
  expect(closed(effects)).toEqual([{ type: "close", session: -3, detail: "relay drains" }]);
});

test("who is in a call comes back, if its network fails it before it could go", () => {
  const w = world([alice, bob]);
  w.say(-1, offer());
  w.say(-2, accept);
  drain(w);
  leaves(w, -1);
  expect(sent(registers(w, -3, alice)).map(([, { type }]) => type)).toEqual(["RegisterAck", "RelayDraining"]);
});

test("asked again, it may only be over sooner", () => {
  const w = world([alice]);
  drain(w, 10);
  drain(w, 20);
  drain(w, 5);
  expect(ends(w.pass(4.999))).toEqual([]);
  expect(ends(w.pass(0.001)).at(-1)).toEqual({ type: "finish" });
});

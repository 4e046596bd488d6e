import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RefusalReason } from "../base/record.ts";
import { Instant } from "../base/units.ts";
import type { SignalMessage } from "../wire/signal.ts";
import { bindingRequest, livenessRequest, parseStun } from "../wire/stun.ts";
import type { Effect } from "./effect.ts";
import { nobleCrypto } from "./noble-crypto.ts";
import { nonceAt, REPLACED, signRegistration } from "./registration.ts";
import { DEFAULTS, relay } from "./relay.ts";
import {
  accept,
  actedOnOthers,
  alice,
  bob,
  CALL,
  isSent,
  mallory,
  media,
  offer,
  other,
  PIN,
  refusedFor,
  resumption,
  sent,
  text,
  type World,
  world,
} from "./relay-world.fixture.ts";
import { MAX_DATAGRAM_BYTES } from "./session.ts";

describe("a relay refuses, counts, says so, and does nothing else:", () => {
  it.each<[string, RefusalReason, (w: World) => readonly Effect[]]>([
    ["a message that is not JSON", "malformed", (w) => w.raw(-3, text("{"))],
    ["a message that is not UTF-8", "malformed", (w) => w.raw(-3, new Uint8Array([255, 254, 0]))],
    ["a known type with a wrong field", "malformed", (w) => w.raw(-3, text({ type: "Hangup", call_id: 7 }))],
    ["a type nobody knows", "unknown-type", (w) => w.raw(-3, text({ type: "Teleport" }))],
    [
      "an announced message beyond the limit",
      "oversized",
      (w) => w.step({ type: "session", session: -3, event: { type: "oversized", length: 1e9 } }),
    ],
    ["a known type that only a relay sends", "unexpected", (w) => w.say(-3, { type: "RegisterAck", ok: true })],
    [
      "a registration signed for another relay",
      "forged-signature",
      (w) => w.say(-3, { type: "Register", ...signRegistration(nobleCrypto, mallory, "ef".repeat(32), new Uint8Array(16)) }),
    ],
    [
      "a registration with another's key and one's own signature",
      "forged-signature",
      (w) => {
        const own = signRegistration(nobleCrypto, mallory, PIN, new Uint8Array(16));
        const theirs = signRegistration(nobleCrypto, alice, PIN, new Uint8Array(16));
        return w.say(-3, { type: "Register", ...own, identity: theirs.identity });
      },
    ],
    ["an offer in another's name", "forged-signature", (w) => w.say(-3, offer())],
    [
      "a hang-up of a call between others",
      "unknown-call",
      (w) => {
        w.say(-1, offer());
        return w.say(-3, { type: "Hangup", call_id: CALL });
      },
    ],
    [
      "an answer by somebody who was not called",
      "unknown-call",
      (w) => {
        w.say(-1, offer());
        return w.say(-3, accept);
      },
    ],
    [
      "a candidate update before the answer",
      "unexpected",
      (w) => {
        w.say(-1, offer());
        return w.say(-1, { type: "CandidateUpdate", call_id: CALL, generation: 1 });
      },
    ],
    [
      "an offer with the id of another call of the callee",
      "duplicate",
      (w) => {
        w.say(-1, offer());
        return w.say(-3, offer(CALL, mallory));
      },
    ],
    [
      "an offer of a call that is over",
      "duplicate",
      (w) => {
        w.say(-1, offer());
        w.say(-1, { type: "Hangup", call_id: CALL });
        return w.say(-1, offer()).filter((effect) => !isSent(effect, "Hangup"));
      },
    ],
    [
      "a refusal of a call that is set up",
      "unexpected",
      (w) => {
        w.say(-1, offer());
        w.say(-2, accept);
        return w.say(-2, { type: "DirectCallAnswer", call_id: CALL, mode: "Reject", callee_fingerprint: bob.fingerprint });
      },
    ],
    [
      "a candidate update of a callee in privacy mode",
      "unexpected",
      (w) => {
        w.say(-1, offer());
        w.say(-2, { type: "DirectCallAnswer", call_id: CALL, mode: "AcceptGeneric", callee_fingerprint: bob.fingerprint });
        return w.say(-2, { type: "CandidateUpdate", call_id: CALL, generation: 1, reflexive_addr: "192.0.2.2:7" });
      },
    ],
    [
      "a resumption with half a proof",
      "forged-signature",
      (w) => {
        const { callee_share: _, ...half } = resumption(alice, bob, "caller");
        return w.say(-1, half);
      },
    ],
    [
      "a resumption with the proof of another call",
      "forged-signature",
      (w) => w.say(-1, { ...resumption(alice, bob, "caller"), call_id: other(7) }),
    ],
    [
      "a resumption with the proof of others",
      "forged-signature",
      (w) => w.say(-3, { ...resumption(alice, bob, "caller"), peer_fingerprint: bob.fingerprint }),
    ],
    [
      "the resumption of a call whose peer has another one of this id, proven",
      "unknown-call",
      (w) => {
        w.say(-1, resumption(alice, bob, "caller"));
        return w.say(-3, resumption(mallory, bob, "caller"));
      },
    ],
    [
      "the resumption of a call with somebody who is in a call of this id with another",
      "unknown-call",
      (w) => {
        w.say(-1, offer());
        w.say(-2, accept);
        return w.say(-3, { type: "CallResume", call_id: CALL, peer_fingerprint: alice.fingerprint, role: "callee" });
      },
    ],
    [
      "media too large to be sent on",
      "oversized",
      (w) => {
        w.say(-1, offer());
        w.say(-2, accept);
        return w.datagram(-1, media(0, MAX_DATAGRAM_BYTES + 1));
      },
    ],
    [
      "the resumption of a call with oneself",
      "unexpected",
      (w) => w.say(-3, { type: "CallResume", call_id: CALL, peer_fingerprint: mallory.fingerprint, role: "caller" }),
    ],
    ["a datagram that is no media packet", "malformed", (w) => w.datagram(-3, new Uint8Array([0, 1, 2]))],
    [
      "media on a channel that is not the sender's",
      "unknown-call",
      (w) => {
        w.say(-1, offer());
        w.say(-2, accept);
        return w.datagram(-3, media(0));
      },
    ],
    [
      "a STUN packet that is none",
      "malformed",
      (w) => w.step({ type: "packet", from: "192.0.2.9:9", bytes: new Uint8Array([0, 1, 9]) }),
    ],
    [
      "a STUN question from an address with a zone",
      "unexpected",
      (w) => w.step({ type: "packet", from: "[fe80::1%eth0]:9", bytes: bindingRequest(new Uint8Array(12)) }),
    ],
  ])("%s (%s)", (_name, reason, act) => {
    const w = world();
    const effects = act(w);
    expect(refusedFor(effects)).toEqual([reason]);
    expect(
      actedOnOthers(effects, -3).filter((effect) => "session" in effect && effect.session !== -1 && effect.session !== -2),
    ).toEqual([]);
    expect(sent(effects).filter(([, type]) => type !== "Refusal" && type !== "RegisterAck")).toEqual([]);
    expect(effects.some((effect) => effect.type === "datagram" || effect.type === "close")).toBe(false);
  });

  it("anything but a registration from a session that has not registered", () => {
    for (const message of [offer(), { type: "Reflect", txn: 1 }, { type: "Hangup", call_id: CALL }] as SignalMessage[]) {
      const effects = world([bob]).say(-1, message);
      expect(refusedFor(effects)).toEqual(["unauthenticated"]);
      expect(sent(effects)).toEqual([[-1, "Refusal"]]);
    }
  });

  it("any octets at all, from anybody, without an exception", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (bytes, asMessage) => {
        const effects = asMessage ? world([]).raw(-3, bytes) : world([]).datagram(-3, bytes);
        expect(refusedFor(effects)).toHaveLength(1);
        expect(actedOnOthers(effects, -3)).toEqual([]);
      }),
      { seed: 9_000, numRuns: 150 },
    );
  });
});

describe("a relay", () => {
  it("answers STUN with the address it sees, registered or not", () => {
    const transaction = new Uint8Array(12).fill(7);
    const [effect] = world([]).step({ type: "packet", from: "192.0.2.77:4321", bytes: bindingRequest(transaction) });
    expect(effect).toMatchObject({ type: "packet", to: "192.0.2.77:4321" });
    expect(effect?.type === "packet" && parseStun(effect.bytes)).toMatchObject({ kind: "response", mapped: "192.0.2.77:4321" });
  });

  it("answers a STUN request it does not understand in a way that tells no address", () => {
    const transaction = new Uint8Array(12).fill(7);
    const [effect] = world([]).step({ type: "packet", from: "192.0.2.77:4321", bytes: livenessRequest(transaction) });
    expect(effect).toMatchObject({ type: "packet", to: "192.0.2.77:4321" });
    const answer = effect?.type === "packet" ? parseStun(effect.bytes) : undefined;
    expect(answer).toEqual({ ok: true, kind: "response", transactionId: transaction });
  });

  it("forwards media of a call to the other side, and to nobody else", () => {
    const w = world();
    w.say(-1, offer());
    w.say(-2, accept);
    expect(w.datagram(-1, media(0))).toMatchObject([{ type: "datagram", session: -2 }]);
    expect(w.datagram(-2, media(0))).toMatchObject([{ type: "datagram", session: -1 }]);
  });

  it("counts media for a party that is away, and says how many there were when it is back", () => {
    const w = world();
    w.say(-1, offer());
    w.say(-2, accept);
    w.datagram(-1, media(0));
    w.step({ type: "session", session: -2, event: { type: "closed", reason: "idle-timeout" } });
    const dropped = [1, 2, 3].flatMap(() => [...w.datagram(-1, media(0))]);
    w.step({ type: "accepted", session: -9, remote: "192.0.2.2:2000" });
    w.say(-9, { type: "Register", ...signRegistration(nobleCrypto, bob, PIN, new Uint8Array(16).fill(1)) });
    w.say(-9, resumption(bob, alice, "callee"));
    const told = (count: number): unknown => ({ type: "say", saying: { ev: "undelivered", reason: "absent", count } });
    expect(dropped).toEqual([told(1), told(2)]);
    expect(w.datagram(-1, media(0))).toEqual([told(3), expect.objectContaining({ type: "datagram", session: -9 })]);
  });

  it("a new session of the same client replaces the old one, which is closed", () => {
    const w = world([alice]);
    w.step({ type: "accepted", session: -9, remote: "192.0.2.1:2000" });
    const effects = w.say(-9, { type: "Register", ...signRegistration(nobleCrypto, alice, PIN, new Uint8Array(16).fill(1)) });
    expect(effects.filter((effect) => effect.type === "close")).toMatchObject([{ session: -1, detail: REPLACED }]);
    expect(sent(effects)).toEqual([[-9, "RegisterAck"]]);
  });

  it.each([
    ["made a second before the one it has arrived after: the newer session stays", 9_000, false],
    ["made a second after it", 11_000, true],
    ["made long before it, as by another process with a clock that is behind", 1, true],
  ])("a registration %s", (_, at, replaces) => {
    const w = world([]);
    const register = (session: number, ms: number): readonly Effect[] => {
      const nonce = nonceAt(ms, new Uint8Array(16));
      w.step({ type: "accepted", session, remote: "192.0.2.1:2000" });
      return w.say(session, { type: "Register", ...signRegistration(nobleCrypto, alice, PIN, nonce) });
    };
    const first = at === 1 ? 100_000 : 10_000;
    register(-8, first);
    const effects = register(-9, at);
    const closed = effects.filter((effect) => effect.type === "close");
    expect(closed).toMatchObject([{ session: replaces ? -8 : -9 }]);
    expect(closed.some((effect) => effect.detail === REPLACED)).toBe(replaces);
    expect(sent(effects)).toEqual(replaces ? [[-9, "RegisterAck"]] : []);
  });

  it("closes a session that does not register in time", () => {
    const w = world([alice, bob]);
    const effects = [1, 2, 3, 4, 5, 6].flatMap((length) => [...w.pass(length)]);
    expect(effects.filter((effect) => effect.type === "close")).toMatchObject([{ session: -3 }]);
  });

  it("takes no more sessions than its limit", () => {
    const effects = world([], { maxSessions: 3 }).step({ type: "accepted", session: -4, remote: "192.0.2.4:1" });
    expect(refusedFor(effects)).toEqual(["limit"]);
    expect(effects.at(-1)).toMatchObject({ type: "close", session: -4 });
  });

  it("says what it has no room for, until there is some again", () => {
    const machine = relay({ ...DEFAULTS, fingerprint: PIN, crypto: nobleCrypto, maxSessions: 1 });
    expect(machine.full()).toBe(undefined);
    machine.step(Instant(0), { type: "accepted", session: -1, remote: "192.0.2.1:1" });
    expect(machine.full()).toBe("sessions");
    machine.step(Instant(0), { type: "session", session: -1, event: { type: "closed", reason: "peer" } });
    expect(machine.full()).toBe(undefined);
    expect(relay({ ...DEFAULTS, fingerprint: PIN, crypto: nobleCrypto, maxCalls: 0 }).full()).toBe("calls");
  });
});

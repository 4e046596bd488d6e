import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RefusalReason } from "../base/record.ts";
import { Instant, seconds } from "../base/units.ts";
import { encodeSignal, parseSignal, type SignalMessage } from "../wire/signal.ts";
import { bindingRequest, parseStun } from "../wire/stun.ts";
import type { Effect } from "./effect.ts";
import { type Identity, identityFromSecret } from "./identity.ts";
import { makeShare } from "./key-agreement.ts";
import { nobleCrypto } from "./noble-crypto.ts";
import { REPLACED, signRegistration } from "./registration.ts";
import * as relay from "./relay.ts";
import { MAX_DATAGRAM_BYTES } from "./session.ts";

const PIN = "cd".repeat(32);
const identity = (value: number): Identity => identityFromSecret(nobleCrypto, new Uint8Array(32).fill(value));
const [alice, bob, mallory] = [identity(1), identity(2), identity(3)] as const;
const CALL = "0123456789abcdef0123456789abcdef";

/** A relay with sessions -1 (alice), -2 (bob), -3 (mallory), registered as asked. */
function world(registered: readonly Identity[] = [alice, bob, mallory], config: Partial<relay.Config> = {}) {
  const machine = relay.relay({ ...relay.DEFAULTS, fingerprint: PIN, crypto: nobleCrypto, ...config });
  let now = Instant(0);
  const step = (input: relay.Input): readonly Effect[] => machine.step(now, input);
  const say = (session: number, message: SignalMessage): readonly Effect[] =>
    step({ type: "session", session, event: { type: "message", bytes: encodeSignal(message) } });
  [alice, bob, mallory].forEach((who, i) => {
    step({ type: "accepted", session: -1 - i, remote: `192.0.2.${i + 1}:1000` });
    if (registered.includes(who))
      say(-1 - i, { type: "Register", ...signRegistration(nobleCrypto, who, PIN, new Uint8Array(16)) });
  });
  return {
    machine,
    step,
    say,
    raw: (session: number, bytes: Uint8Array) => step({ type: "session", session, event: { type: "message", bytes } }),
    datagram: (session: number, bytes: Uint8Array) => step({ type: "session", session, event: { type: "datagram", bytes } }),
    pass: (length: number) => {
      now = Instant.after(now, seconds(length));
      return step({ type: "wake" });
    },
  };
}
const offer = (call = CALL): SignalMessage => ({
  type: "DirectCallOffer",
  call_id: call,
  caller_fingerprint: alice.fingerprint,
  callee_fingerprint: bob.fingerprint,
  caller_share: makeShare(nobleCrypto, alice, new Uint8Array(32).fill(9), { call, role: "caller", peer: bob.fingerprint }),
});
/** The ids of other calls. */
const other = (number: number): string => number.toString(16).padStart(32, "0");
const accept: SignalMessage = {
  type: "DirectCallAnswer",
  call_id: CALL,
  mode: "AcceptTrusted",
  callee_fingerprint: bob.fingerprint,
  callee_reflexive_addr: "192.0.2.2:1000",
};
const sent = (effects: readonly Effect[]): [number, string][] =>
  effects.flatMap((effect): [number, string][] => {
    if (effect.type !== "send") return [];
    const parsed = parseSignal(effect.bytes);
    return [[effect.session, parsed.ok ? parsed.message.type : "?"]];
  });
const refusedFor = (effects: readonly Effect[]): RefusalReason[] =>
  effects.flatMap((effect) => (effect.type === "say" && effect.saying.ev === "refused" ? [effect.saying.reason] : []));
/** What a refusal may do: say so, and tell the one who asked. */
const actedOnOthers = (effects: readonly Effect[], session: number): readonly Effect[] =>
  effects.filter((effect) => effect.type !== "say" && !("session" in effect && effect.session === session));

const text = (value: unknown): Uint8Array => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
const media = (channel: number, length = 60): Uint8Array => {
  const bytes = new Uint8Array(length);
  bytes[0] = 0b1000_0000;
  bytes[1] = channel;
  return bytes;
};

describe("a relay refuses, counts, says so, and does nothing else:", () => {
  it.each<[string, RefusalReason, (w: ReturnType<typeof world>) => readonly Effect[]]>([
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
      "the same offer again",
      "duplicate",
      (w) => {
        w.say(-1, offer());
        return w.say(-1, offer());
      },
    ],
    [
      "the same answer again",
      "duplicate",
      (w) => {
        w.say(-1, offer());
        w.say(-2, accept);
        return w.say(-2, accept);
      },
    ],
    [
      "the resumption of a call between others",
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

  it("forwards media of a call to the other side, and to nobody else", () => {
    const w = world();
    w.say(-1, offer());
    w.say(-2, accept);
    expect(w.datagram(-1, media(0))).toMatchObject([{ type: "datagram", session: -2 }]);
    expect(w.datagram(-2, media(0))).toMatchObject([{ type: "datagram", session: -1 }]);
  });

  it("sets the call up with each side told the other's addresses, never its own", () => {
    const w = world();
    w.say(-1, offer());
    const setups = w.say(-2, accept).flatMap((effect) => {
      const parsed = effect.type === "send" ? parseSignal(effect.bytes) : undefined;
      return parsed?.ok === true && parsed.message.type === "CallSetup" && effect.type === "send"
        ? [{ to: effect.session, ...parsed.message }]
        : [];
    });
    expect(setups).toMatchObject([
      { to: -1, role: "dialer", peer_direct_addr: "192.0.2.2:1000" },
      { to: -2, role: "acceptor" },
    ]);
    expect(setups[1]).not.toHaveProperty("peer_direct_addr");
  });

  it("a new session of the same client replaces the old one, which is closed", () => {
    const w = world([alice]);
    w.step({ type: "accepted", session: -9, remote: "192.0.2.1:2000" });
    const effects = w.say(-9, { type: "Register", ...signRegistration(nobleCrypto, alice, PIN, new Uint8Array(16).fill(1)) });
    expect(effects.filter((effect) => effect.type === "close")).toMatchObject([{ session: -1, detail: REPLACED }]);
    expect(sent(effects)).toEqual([[-9, "RegisterAck"]]);
  });

  it("keeps no offer that nobody answers, and tells both", () => {
    const w = world();
    w.say(-1, offer());
    const effects = Array.from({ length: 100 }, () => w.pass(1)).flat();
    expect(sent(effects)).toEqual([
      [-1, "Hangup"],
      [-2, "Hangup"],
    ]);
    expect(w.step({ type: "held" })).toMatchObject([{ saying: { calls: 0 } }]);
  });

  it("keeps no offer of a client that is gone, and tells the other", () => {
    const w = world();
    w.say(-1, offer());
    expect(sent(w.step({ type: "session", session: -1, event: { type: "closed", reason: "idle-timeout" } }))).toEqual([
      [-2, "Hangup"],
    ]);
    expect(w.step({ type: "held" })).toMatchObject([{ saying: { calls: 0 } }]);
  });

  it("keeps the offer of a client that registers on another session, for as long as that one lives", () => {
    const moved = (): ReturnType<typeof world> => {
      const w = world();
      w.say(-1, offer());
      w.step({ type: "accepted", session: -9, remote: "192.0.2.1:2000" });
      w.say(-9, { type: "Register", ...signRegistration(nobleCrypto, alice, PIN, new Uint8Array(16).fill(1)) });
      w.step({ type: "session", session: -1, event: { type: "closed", reason: "local" } });
      return w;
    };
    expect(sent(moved().step({ type: "session", session: -9, event: { type: "closed", reason: "peer" } }))).toEqual([
      [-2, "Hangup"],
    ]);
    const w = moved();
    expect(sent(w.say(-2, accept)).filter(([, type]) => type === "CallSetup")).toEqual([
      [-9, "CallSetup"],
      [-2, "CallSetup"],
    ]);
  });

  it("takes no more offers of one client than its limit, counted while they wait", () => {
    const w = world([alice, bob, mallory], { maxOffers: 2 });
    w.say(-1, offer());
    w.say(-1, offer(other(1)));
    const full = w.say(-1, offer(other(2)));
    expect(refusedFor(full)).toEqual(["limit"]);
    expect(sent(full)).toEqual([[-1, "Refusal"]]);
    w.say(-2, accept);
    expect(sent(w.say(-1, offer(other(2))))).toEqual([[-2, "DirectCallOffer"]]);
  });

  it("takes no more calls than its limit, offered or resumed", () => {
    const resume = (call: string): SignalMessage => ({
      type: "CallResume",
      call_id: call,
      peer_fingerprint: bob.fingerprint,
      role: "caller",
    });
    const w = world([alice, bob, mallory], { maxCalls: 1 });
    w.say(-1, resume(CALL));
    expect(refusedFor(w.say(-1, resume(other(1))))).toEqual(["limit"]);
    expect(refusedFor(w.say(-1, offer(other(1))))).toEqual(["limit"]);
    expect(w.step({ type: "held" })).toMatchObject([{ saying: { calls: 1 } }]);
  });

  it("closes a session that does not register in time", () => {
    const w = world([alice, bob]);
    const effects = [1, 2, 3, 4, 5, 6].flatMap((length) => [...w.pass(length)]);
    expect(effects.filter((effect) => effect.type === "close")).toMatchObject([{ session: -3 }]);
  });

  it("ends a call for the one who stayed when the other has been gone for too long", () => {
    const w = world();
    w.say(-1, offer());
    w.say(-2, accept);
    w.step({ type: "session", session: -2, event: { type: "closed", reason: "idle-timeout" } });
    const effects = Array.from({ length: 70 }, () => w.pass(1)).flat();
    expect(sent(effects)).toEqual([[-1, "Hangup"]]);
    expect(w.step({ type: "held" })).toMatchObject([{ saying: { calls: 0 } }]);
  });

  it("takes no more sessions than its limit", () => {
    const effects = world([], { maxSessions: 3 }).step({ type: "accepted", session: -4, remote: "192.0.2.4:1" });
    expect(refusedFor(effects)).toEqual(["limit"]);
    expect(effects.at(-1)).toMatchObject({ type: "close", session: -4 });
  });
});

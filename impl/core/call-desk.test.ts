import { describe, expect, it } from "vitest";
import { parseSignal, type SignalMessage } from "../wire/signal.ts";
import type { Effect } from "./effect.ts";
import type { Identity } from "./identity.ts";
import { nobleCrypto } from "./noble-crypto.ts";
import { signRegistration } from "./registration.ts";
import {
  accept,
  alice,
  bob,
  CALL,
  mallory,
  media,
  offer,
  other,
  PIN,
  refusedFor,
  resumption,
  sent,
  type World,
  world,
} from "./relay-world.fixture.ts";

describe("a relay", () => {
  it("passes an offer on again when it is said again, for it may not have arrived", () => {
    const w = world();
    expect(sent(w.say(-1, offer()))).toEqual([[-2, "DirectCallOffer"]]);
    expect(sent(w.say(-1, offer()))).toEqual([[-2, "DirectCallOffer"]]);
    expect(w.step({ type: "held" })).toMatchObject([{ saying: { calls: 1 } }]);
  });

  it("passes an answer on again when it is said again, and sets the same channel up on the sessions of now", () => {
    const w = world();
    w.say(-1, offer());
    w.say(-2, accept);
    w.step({ type: "accepted", session: -9, remote: "192.0.2.1:2000" });
    w.say(-9, { type: "Register", ...signRegistration(nobleCrypto, alice, PIN, new Uint8Array(16).fill(1)) });
    expect(sent(w.say(-9, offer()))).toEqual([[-2, "DirectCallOffer"]]);
    expect(sent(w.say(-2, accept))).toEqual([
      [-9, "DirectCallAnswer"],
      [-9, "CallSetup"],
      [-2, "CallSetup"],
      [-2, "CallResumed"],
    ]);
    expect(w.datagram(-2, media(0))).toMatchObject([{ type: "datagram", session: -9 }]);
  });

  it("passes on no address that an answer in privacy mode carries, counts it, and sets the call up all the same", () => {
    const w = world();
    w.say(-1, offer());
    const effects = w.say(-2, {
      ...accept,
      mode: "AcceptGeneric",
      callee_local_addrs: ["10.0.0.2:1000"],
      callee_mapped_addr: "203.0.113.2:1000",
    });
    expect(refusedFor(effects)).toEqual(["unexpected"]);
    const texts = effects.flatMap((effect) => (effect.type === "send" ? [new TextDecoder().decode(effect.bytes)] : []));
    expect(texts).toHaveLength(3);
    for (const one of texts) expect(one).not.toMatch(/192\.0\.2\.2|10\.0\.0\.2|203\.0\.113\.2/);
  });

  it("acknowledges a hang-up, and reminds a party that was away of it until that one acknowledges it", () => {
    const w = world([alice, bob]);
    w.say(-1, offer());
    w.say(-2, accept);
    expect(sent(w.say(-1, { type: "Hangup", call_id: CALL }))).toEqual([
      [-1, "HangupAck"],
      [-2, "Hangup"],
    ]);
    const again = (session: number): [number, string][] => {
      w.step({ type: "accepted", session, remote: "192.0.2.2:2000" });
      const fresh = new Uint8Array(16).fill(-session);
      return sent(w.say(session, { type: "Register", ...signRegistration(nobleCrypto, bob, PIN, fresh) }));
    };
    expect(again(-8)).toEqual([
      [-8, "RegisterAck"],
      [-8, "Hangup"],
    ]);
    expect(sent(w.say(-8, resumption(bob, alice, "callee")))).toEqual([[-8, "Hangup"]]);
    w.say(-8, { type: "HangupAck", call_id: CALL });
    expect(again(-9)).toEqual([[-9, "RegisterAck"]]);
  });

  it("forgets how a call ended in time, and the oldest first when there are too many", () => {
    const say = (w: World, call: string): readonly Effect[] => {
      w.say(-1, offer(call));
      return w.say(-1, { type: "Hangup", call_id: call });
    };
    const w = world([alice, bob], { maxCalls: 2 });
    for (const call of [other(1), other(2), other(3)]) say(w, call);
    expect(sent(w.say(-1, offer(other(3))))).toEqual([[-1, "Hangup"]]);
    expect(sent(w.say(-1, offer(other(1))))).toEqual([[-2, "DirectCallOffer"]]);
    const old = world([alice, bob]);
    say(old, CALL);
    for (let second = 0; second < 62; second++) old.pass(1);
    expect(sent(old.say(-1, offer()))).toEqual([[-2, "DirectCallOffer"]]);
  });

  it("takes a call up from one party and shows the proof to the other, which may know that it is over", () => {
    const w = world([alice, bob]);
    expect(sent(w.say(-1, resumption(alice, bob, "caller")))).toEqual([
      [-1, "CallResumed"],
      [-2, "CallResume"],
    ]);
    expect(sent(w.say(-2, resumption(bob, alice, "callee")))).toEqual([
      [-2, "CallResumed"],
      [-1, "CallResumed"],
    ]);
    const late = world([alice]);
    late.say(-1, resumption(alice, bob, "caller"));
    expect(sent(late.say(-2, { type: "Register", ...signRegistration(nobleCrypto, bob, PIN, new Uint8Array(16)) }))).toEqual([
      [-2, "RegisterAck"],
      [-2, "CallResume"],
    ]);
  });

  it("keeps a callee's privacy in a call that it knows by resumption alone", () => {
    const update = (call: string): SignalMessage => ({
      type: "CandidateUpdate",
      call_id: call,
      generation: 1,
      reflexive_addr: "203.0.113.2:1000",
    });
    const w = world([alice, bob]);
    w.say(-2, { ...resumption(bob, alice, "callee"), private: true });
    w.say(-1, resumption(alice, bob, "caller"));
    const kept = w.say(-2, update(CALL));
    expect([refusedFor(kept), sent(kept)]).toEqual([["unexpected"], []]);
    expect(sent(w.say(-1, update(CALL)))).toEqual([[-2, "CandidateUpdate"]]); // the caller has promised nothing
    const open = world([alice, bob]);
    open.say(-1, { ...resumption(alice, bob, "caller"), private: true }); // not the caller's to say
    open.say(-2, resumption(bob, alice, "callee"));
    expect(sent(open.say(-2, update(CALL)))).toEqual([[-1, "CandidateUpdate"]]);
  });

  it("takes a call up from parties of before the proof, and shows it to nobody", () => {
    const w = world([alice, bob]);
    const bare = (role: "caller" | "callee", peer: Identity): SignalMessage => ({
      type: "CallResume",
      call_id: CALL,
      peer_fingerprint: peer.fingerprint,
      role,
    });
    expect(sent(w.say(-1, bare("caller", bob)))).toEqual([[-1, "CallResumed"]]);
    expect(sent(w.say(-2, bare("callee", alice)))).toEqual([
      [-2, "CallResumed"],
      [-1, "CallResumed"],
    ]);
    expect(w.datagram(-1, media(0))).toMatchObject([{ type: "datagram", session: -2 }]);
  });

  it.each<[string, SignalMessage]>([
    ["resumed it first", { type: "CallResume", call_id: CALL, peer_fingerprint: alice.fingerprint, role: "callee" }],
    [
      "resumed it first as one with the other party",
      { type: "CallResume", call_id: CALL, peer_fingerprint: bob.fingerprint, role: "caller" },
    ],
    ["offered a call of this id", offer(CALL, mallory)],
  ])("gives a call to those who prove it, after somebody who knew its id %s", (_how, usurpation) => {
    const w = world();
    w.say(-3, usurpation);
    expect(sent(w.say(-1, resumption(alice, bob, "caller")))[0]).toEqual([-1, "CallResumed"]);
    w.say(-2, resumption(bob, alice, "callee"));
    expect(w.datagram(-1, media(0))).toMatchObject([{ type: "datagram", session: -2 }]);
    expect(w.datagram(-2, media(0))).toMatchObject([{ type: "datagram", session: -1 }]);
    expect(refusedFor(w.datagram(-3, media(0)))).toEqual(["unknown-call"]);
    expect(w.step({ type: "held" })).toMatchObject([{ saying: { calls: 1 } }]);
  });

  it("sets up a call that its callee resumes and its caller only offers, having missed the answer when the last relay died", () => {
    const w = world([alice, bob]);
    w.say(-1, offer());
    expect(sent(w.say(-2, resumption(bob, alice, "callee")))).toContainEqual([-2, "CallResumed"]);
    expect(sent(w.say(-1, offer()))).toEqual([[-2, "DirectCallOffer"]]);
    // The callee, which is set up and may send by the relay it has left until the caller is here, is told that it is.
    expect(sent(w.say(-2, accept))).toEqual([
      [-1, "DirectCallAnswer"],
      [-1, "CallSetup"],
      [-2, "CallSetup"],
      [-2, "CallResumed"],
    ]);
    expect(w.datagram(-1, media(0))).toMatchObject([{ type: "datagram", session: -2 }]);
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
    const moved = (): World => {
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

  it("ends a call for the one who stayed when the other has been gone for too long", () => {
    const w = world();
    w.say(-1, offer());
    w.say(-2, accept);
    w.step({ type: "session", session: -2, event: { type: "closed", reason: "idle-timeout" } });
    const effects = Array.from({ length: 70 }, () => w.pass(1)).flat();
    expect(sent(effects)).toEqual([[-1, "Hangup"]]);
    expect(w.step({ type: "held" })).toMatchObject([{ saying: { calls: 0 } }]);
  });

  it("ends it in time though the one who stayed registers anew meanwhile", () => {
    const w = world();
    w.say(-1, offer());
    w.say(-2, accept);
    w.step({ type: "session", session: -2, event: { type: "closed", reason: "idle-timeout" } });
    const before = Array.from({ length: 40 }, () => w.pass(1)).flat();
    expect(sent(before)).toEqual([]);
    w.step({ type: "accepted", session: -9, remote: "192.0.2.1:2000" });
    w.say(-9, { type: "Register", ...signRegistration(nobleCrypto, alice, PIN, new Uint8Array(16).fill(1)) });
    w.say(-9, resumption(alice, bob, "caller"));
    const effects = Array.from({ length: 25 }, () => w.pass(1)).flat();
    expect(sent(effects)).toEqual([[-9, "Hangup"]]);
  });
});

import { describe, expect, it } from "vitest";
import type { Saying } from "../base/record.ts";
import { Instant, millis, seconds } from "../base/units.ts";
import { parseSignal, type RelayDraining } from "../wire/signal.ts";
import { bindingResponse, parseStun } from "../wire/stun.ts";
import type { Effect } from "./effect.ts";
import { identityFromSecret } from "./identity.ts";
import { nobleCrypto } from "./noble-crypto.ts";
import { Outbox } from "./outbox.ts";
import { REPLACED } from "./registration.ts";
import type { Link } from "./relay-link.ts";
import { type RelaySessions, relaySessions } from "./relay-sessions.ts";
import { DEFAULT_BACKOFF } from "./supervisor.ts";

const one = { address: "198.51.100.1:4433", pin: "aa".repeat(32) };
const two = { address: "198.51.100.2:4433", pin: "bb".repeat(32) };
const CALL = "0123456789abcdef0123456789abcdef";
const draining: RelayDraining = { type: "RelayDraining", alternatives: [{ addr: two.address, pin: two.pin }] };

/** Sessions without a network, of a client with a call or without; what it does is collected. */
function world(isInCall: boolean, call = { isUp: isInCall }) {
  const out = new Outbox();
  let now = Instant(0);
  let drawn = 0;
  let nextSession = 1;
  const links = new Map<number, Link>();
  const sessions: RelaySessions = relaySessions(
    {
      identity: identityFromSecret(nobleCrypto, new Uint8Array(32).fill(1)),
      crypto: nobleCrypto,
      entropy: (length) => new Uint8Array(length).fill(128).fill(length > 1 ? drawn++ : 128, length - 1), // no two questions are the same
      backoff: DEFAULT_BACKOFF,
      probeEvery: millis(100),
      isPrivate: false,
    },
    out,
    {
      now: () => now,
      nextSession: () => nextSession++,
      isWanted: () => isInCall,
      hasMedia: () => isInCall,
      needsRelay: () => isInCall,
      resumption: () =>
        call.isUp
          ? { message: { type: "CallResume", call_id: CALL, peer_fingerprint: CALL, role: "caller" }, channel: 3 }
          : undefined,
      rerouted: () => undefined,
      interrupted: () => undefined,
      restored: () => undefined,
      registered: () => undefined,
      signal: (link) => void links.set(link.id, link),
      media: () => undefined,
      displaced: () => undefined,
    },
  );
  const take = (): readonly Effect[] => out.take();
  /** The session's handshake is done, and its relay has taken the registration. */
  const register = (id: number): void => {
    sessions.session(id, { type: "connected", rtt: millis(20), handshake: millis(20), fingerprint: "" });
    sessions.session(id, { type: "message", bytes: new Uint8Array() });
    const link = links.get(id);
    if (link === undefined) throw new RangeError(`session ${id}: not known`);
    sessions.acknowledged(link, { type: "RegisterAck", ok: true });
  };
  sessions.desire(one);
  register(1);
  sessions.granted(links.get(1), 3);
  take();
  return {
    ...{ sessions, take, register },
    link: (id: number): Link => links.get(id) as Link,
    wake: (at: Instant): readonly Effect[] => {
      now = at;
      sessions.wake();
      return take();
    },
  };
}
const said = (effects: readonly Effect[], ev: Saying["ev"]): Saying[] =>
  effects.flatMap((effect) => (effect.type === "say" && effect.saying.ev === ev ? [effect.saying] : []));
const connects = (effects: readonly Effect[]): string[] =>
  effects.flatMap((effect) => (effect.type === "connect" ? [effect.remote] : []));
const closes = (effects: readonly Effect[]): number[] =>
  effects.flatMap((effect) => (effect.type === "close" ? [effect.session] : []));

describe("a relay that asks to be left", () => {
  it("is left for the one it names, and carries the call until that one has both parties", () => {
    const { sessions, take, register, link, wake } = world(true);
    sessions.draining(link(1), draining);
    expect(connects(take())).toEqual([two.address]);
    expect(sessions.mediaLink()?.id).toBe(1);
    register(2);
    const sent = take().flatMap((effect) => (effect.type === "send" ? [parseSignal(effect.bytes)] : []));
    expect(sent.map((one) => (one.ok ? one.message.type : one.reason))).toEqual(["Register", "CallResume"]);
    expect(sessions.carries(link(2), 5)).toBe(true);
    expect([sessions.mediaLink()?.id, sessions.mediaLink()?.channel]).toEqual([1, 3]); // the peer is not there yet
    expect(closes(wake(Instant.after(Instant(0), seconds(30))))).toEqual([]);
    sessions.joined(link(2));
    expect([sessions.mediaLink()?.id, sessions.mediaLink()?.channel]).toEqual([2, 5]);
    expect(closes(wake(Instant.after(Instant(0), seconds(31))))).toEqual([1]);
  });

  it("is the one to come back to when the other refuses", () => {
    const { sessions, take, link } = world(true);
    sessions.draining(link(1), draining);
    take();
    sessions.session(2, { type: "closed", reason: "pin-mismatch", detail: "found cc" });
    const effects = take();
    expect(connects(effects)).toEqual([one.address]);
    expect(said(effects, "note")).toHaveLength(1);
    expect(sessions.mediaLink()?.id).toBe(1);
  });

  it("is not obeyed on a session that is not the registered one", () => {
    const { sessions, take, link, register } = world(false);
    sessions.desire(two);
    register(2);
    take();
    sessions.draining(link(1), draining);
    expect(said(take(), "refused")).toMatchObject([{ reason: "unexpected" }]);
  });

  it("and says goodbye without naming another is asked again after a while, by clients with a call at once", () => {
    for (const [isInCall, wait] of [
      [true, 0],
      [false, 1_000],
    ] as const) {
      const { sessions, take } = world(isInCall);
      sessions.session(1, { type: "closed", reason: "peer", detail: "relay stopped" });
      expect(said(take(), "registration")).toMatchObject([{ state: "reconnecting", attempt: 1, delayMs: wait }]);
    }
  });
});

it("a handshake that begins anew with a Retry is given its second round trip, however often the relay answers, and no third one", () => {
  const { sessions, take, wake } = world(true);
  sessions.desire(two);
  sessions.attend();
  take();
  const questions: (readonly [number, Uint8Array])[] = [];
  const dialled: number[] = [];
  for (let ms = 10; ms <= 700; ms += 10) {
    for (const effect of wake(Instant(millis(ms)))) {
      const stun = effect.type === "packet" ? parseStun(effect.bytes) : undefined;
      if (stun?.ok === true) questions.push([ms, stun.transactionId]);
    }
    // A round trip of 300 ms.
    if (ms === 300) sessions.session(2, { type: "retried" });
    for (const [asked, id] of questions)
      if (asked + 300 === ms) sessions.packet(two.address, bindingResponse(id, "203.0.113.1:1"));
    if (connects(take()).length > 0) dialled.push(ms);
    sessions.attend();
  }
  const after = questions.find(([asked]) => asked > 320)?.[0] ?? 0;
  expect(dialled).toEqual([after + 300]);
  expect(after + 300).toBeGreaterThan(600);
});

describe("a relay with addresses of both families", () => {
  const [six, four] = ["[2001:db8::1]:4433", "198.51.100.9:4433"];
  const dual = { address: six, also: [four], pin: "cc".repeat(32) };
  const network = (...addresses: readonly string[]) => ({ port: 1, interfaces: [{ name: "eth0", addresses, isDefault: true }] });
  const asks = (effects: readonly Effect[]): string[] =>
    effects.flatMap((effect) => (effect.type === "packet" ? [effect.to] : []));

  it("is dialled by one that the network has; when its family is gone by the other at once, and not while there is neither", () => {
    const { sessions, take, register } = world(true);
    sessions.network(network("192.168.1.2", "2001:db8:1::2"));
    sessions.desire(dual);
    expect(connects(take())).toEqual([six]);
    register(2);
    take();
    sessions.network(network("192.168.1.3", "2001:db8:1::3"));
    sessions.network(network());
    expect(connects(take())).toEqual([]);
    sessions.network(network("192.168.1.3"));
    const effects = take();
    expect(connects(effects)).toEqual([four]);
    expect(said(effects, "registration")).toMatchObject([{ state: "reconnecting", attempt: 1 }]);
    sessions.network(network("2001:db8:2::2")); // before that attempt is through
    expect(connects(take())).toEqual([six]);
  });

  it("is asked for a sign of life by both, and goes on by the one that answers", () => {
    const { sessions, take, wake } = world(true);
    sessions.network(network("192.168.1.2", "2001:db8:1::2"));
    sessions.desire(dual);
    sessions.attend();
    take();
    const effects = wake(Instant(millis(200)));
    expect(asks(effects)).toEqual([six, four]);
    const question = effects.find((effect) => effect.type === "packet");
    const stun = question?.type === "packet" ? parseStun(question.bytes) : undefined;
    if (stun?.ok !== true) throw new Error("no question");
    sessions.packet(four, bindingResponse(stun.transactionId, "203.0.113.1:1"));
    expect(connects(take())).toEqual([four]);
  });

  it("is dialled at once by the address that answers while another is silent, and both go on however often that answers", () => {
    const { sessions, take, wake, register } = world(true);
    sessions.network(network("192.168.1.2", "2001:db8:1::2"));
    sessions.desire(dual);
    sessions.attend();
    take();
    const done: (readonly [number, readonly string[]])[] = [];
    for (let ms = 20, asked: Uint8Array[] = []; ms <= 320; ms += 20) {
      // What was asked 60 ms ago is answered at the second address.
      const effects = [...wake(Instant(millis(ms)))];
      if (ms > 60)
        for (const one of asked.splice(0, 1)) if (one.length > 0) sessions.packet(four, bindingResponse(one, "203.0.113.1:1"));
      if (ms === 140) sessions.session(3, { type: "connected", rtt: millis(60), handshake: millis(60), fingerprint: "" });
      effects.push(...take());
      const question = effects.find((effect) => effect.type === "packet" && effect.to === four);
      const stun = question?.type === "packet" ? parseStun(question.bytes) : undefined;
      asked.push(stun?.ok === true ? stun.transactionId : new Uint8Array());
      if (connects(effects).length > 0) done.push([ms, connects(effects)]);
      if (closes(effects).length > 0) done.push([ms, closes(effects).map((id) => `closed ${id}`)]);
      expect(said(effects, "registration")).toEqual([]);
      sessions.attend();
    }
    expect(done).toEqual([
      [80, [four]],
      [140, ["closed 2"]],
    ]);
    register(3);
    expect(sessions.isRegistered()).toBe(true);
  });

  it("is registered with by a slow address beside one that answers questions at once and lets no handshake through", () => {
    const { sessions, take, wake, register } = world(true);
    sessions.network(network("192.168.1.2", "2001:db8:1::2"));
    sessions.desire(dual);
    sessions.attend();
    take();
    const dialled: (readonly [number, readonly string[]])[] = [];
    const closed: number[] = [];
    for (let ms = 20; ms < 700; ms += 20) {
      const effects = [...wake(Instant(millis(ms)))];
      for (const effect of effects) {
        if (effect.type !== "packet" || effect.to !== four) continue;
        const stun = parseStun(effect.bytes);
        if (stun.ok) sessions.packet(four, bindingResponse(stun.transactionId, "203.0.113.1:1"));
      }
      effects.push(...take());
      if (connects(effects).length > 0) dialled.push([ms, connects(effects)]);
      closed.push(...closes(effects));
      expect(said(effects, "registration")).toEqual([]);
      sessions.attend();
    }
    expect(closed).toEqual(dialled.slice(0, -1).map((_, at) => at + 3)); // every one at the second address but the last
    expect(dialled.every(([, to]) => to.length === 1 && to[0] === four)).toBe(true);
    expect(dialled.length).toBeGreaterThan(3);
    sessions.session(2, { type: "connected", rtt: millis(700), handshake: millis(700), fingerprint: "" });
    expect(closes(take())).toEqual([dialled.length + 2]);
    register(2);
    expect(sessions.isRegistered()).toBe(true);
  });

  it("is tried anew by all of its addresses when the one that had won has fallen silent before the registration and answers questions", () => {
    const { sessions, take, wake } = world(true);
    sessions.network(network("192.168.1.2", "2001:db8:1::2"));
    sessions.desire(dual);
    sessions.session(2, { type: "connected", rtt: millis(20), handshake: millis(20), fingerprint: "" });
    take();
    expect(connects(wake(Instant(millis(500))))).toEqual([four]);
    sessions.session(2, { type: "silent", for: seconds(1) });
    sessions.attend();
    take();
    const question = wake(Instant(millis(600))).find((effect) => effect.type === "packet" && effect.to === six);
    const stun = question?.type === "packet" ? parseStun(question.bytes) : undefined;
    if (stun?.ok !== true) throw new Error("no question");
    sessions.packet(six, bindingResponse(stun.transactionId, "203.0.113.1:1"));
    const effects = take();
    expect(closes(effects).toSorted()).toEqual([2, 3]);
    expect(connects(effects)).toEqual([six]);
    expect(said(effects, "registration")).toMatchObject([{ reason: "relay answers" }]);
    sessions.session(4, { type: "connected", rtt: millis(20), handshake: millis(20), fingerprint: "" });
    expect(take().some((effect) => effect.type === "send" && effect.session === 4)).toBe(true);
  });

  it("is dialled by its other address 250 ms later, in the same attempt, and the handshake that is complete first is registered on alone", () => {
    const { sessions, take, wake, register } = world(false);
    sessions.desire(dual);
    take();
    expect(sessions.deadline()).toBe(Instant(millis(250)));
    const second = wake(Instant(millis(250)));
    expect([connects(second), said(second, "registration")]).toEqual([[four], []]);
    expect([sessions.supervisors(), sessions.count()]).toEqual([1, 3]);
    sessions.session(3, { type: "connected", rtt: millis(20), handshake: millis(20), fingerprint: "" });
    const won = take();
    expect(closes(won)).toEqual([2]);
    expect(won.flatMap((effect) => (effect.type === "send" ? [effect.session] : []))).toEqual([3]);
    sessions.session(2, { type: "connected", rtt: millis(20), handshake: millis(20), fingerprint: "" }); // too late
    expect(take()).toEqual([]);
    register(3);
    expect(sessions.isRegistered()).toBe(true);
    take();
    // It begins with the address that served, until the network is another.
    sessions.session(3, { type: "closed", reason: "reset" });
    expect(connects(take())).toEqual([four]);
  });

  it("is dialled by its other address at once when one is refused, and the attempt has failed when both are", () => {
    const { sessions, take, wake } = world(false);
    sessions.desire(dual);
    take();
    sessions.session(2, { type: "closed", reason: "refused" });
    expect(connects(take())).toEqual([four]);
    sessions.session(3, { type: "closed", reason: "handshake-timeout" });
    expect(said(take(), "registration")).toMatchObject([{ attempt: 2, delayMs: 1_000, reason: "handshake-timeout" }]);
    expect(connects(wake(Instant(seconds(1))))).toEqual([six]);
  });

  it("is registered with by the other address where the first one fell silent during the registration", () => {
    const { sessions, take, wake, register } = world(false);
    sessions.desire(dual);
    sessions.session(2, { type: "connected", rtt: millis(20), handshake: millis(20), fingerprint: "" });
    take();
    expect(connects(wake(Instant(millis(499))))).toEqual([]);
    expect(connects(wake(Instant(millis(500))))).toEqual([four]);
    sessions.session(3, { type: "connected", rtt: millis(20), handshake: millis(20), fingerprint: "" });
    expect(closes(take())).toEqual([2]);
    register(3);
    expect(sessions.isRegistered()).toBe(true);
  });

  it("is given up only when somebody else answers and no other address has the relay", () => {
    const { sessions, take } = world(false);
    sessions.desire(dual);
    take();
    sessions.session(2, { type: "closed", reason: "pin-mismatch", detail: "found dd" });
    expect(connects(take())).toEqual([four]);
    sessions.session(3, { type: "closed", reason: "handshake-timeout" });
    // Not asked again, but the relay that had it before is.
    expect(connects(take())).toEqual([one.address]);
  });
});

it("a registration whose answer is read when its session has fallen silent is in doubt at once", () => {
  const { sessions, take, link } = world(true);
  sessions.desire(two);
  sessions.session(2, { type: "connected", rtt: millis(20), handshake: millis(20), fingerprint: "" });
  sessions.session(2, { type: "message", bytes: new Uint8Array() });
  sessions.session(2, { type: "silent", for: seconds(1) });
  take();
  sessions.acknowledged(link(2), { type: "RegisterAck", ok: true });
  const effects = take();
  expect(said(effects, "registration")).toMatchObject([{ state: "registered" }, { state: "reconnecting", reason: "silent" }]);
  expect(connects(effects)).toEqual([two.address]);
  sessions.session(2, { type: "heard" });
  expect(said(take(), "registration")).toMatchObject([{ state: "registered", reason: "heard again" }]);
});

describe("a session that is left", () => {
  it("is not kept for a round trip that was none: its process stood still during the handshake", () => {
    const { sessions, link, register, take, wake } = world(false);
    sessions.desire(two);
    sessions.session(2, { type: "connected", rtt: seconds(10), handshake: seconds(10), fingerprint: "" });
    sessions.session(2, { type: "message", bytes: new Uint8Array() });
    wake(Instant(20_000));
    sessions.acknowledged(link(2), { type: "RegisterAck", ok: true });
    expect(link(2).rtt).toBe(20_000);
    sessions.desire(undefined);
    expect(closes([...take(), ...wake(Instant(400_001))])).toContain(2);
    // Nor where the answer was slow too: no handshake takes longer than four seconds.
    sessions.desire(one);
    register(3);
    link(3).rtt = seconds(10);
    sessions.desire(undefined);
    expect(closes([...take(), ...wake(Instant(17_000_000))])).toContain(3);
  });
});

describe("a session that a newer one has replaced", () => {
  const replaced = { type: "closed", reason: "peer", detail: REPLACED } as const;
  /** The relay falls silent, the client registers on another session, and leaves that when the relay is heard again. */
  const doubted = () => {
    const { sessions, take, wake, register } = world(true);
    sessions.session(1, { type: "silent", for: seconds(1) });
    sessions.session(2, { type: "connected", rtt: millis(20), handshake: millis(20), fingerprint: "" });
    sessions.session(2, { type: "closed", reason: "idle-timeout" });
    sessions.session(1, { type: "heard" });
    expect(sessions.isRegistered()).toBe(true);
    take();
    return { sessions, take, wake, register };
  };

  it("by this client's own registration, left unanswered before, is lost and not given to another process, which the next one is", () => {
    const { sessions, take, register } = doubted();
    sessions.session(1, replaced);
    const effects = take();
    expect(said(effects, "registration")).toMatchObject([{ state: "reconnecting", attempt: 1 }]);
    expect(connects(effects)).toEqual([one.address]);
    register(3);
    take();
    sessions.session(3, replaced);
    expect(said(take(), "registration")).toMatchObject([{ state: "refused", reason: "another client uses this identity" }]);
  });

  it("is another process's when the own one was so long ago that it cannot be still on its way", () => {
    const { sessions, take, wake } = doubted();
    wake(Instant(seconds(30)));
    sessions.session(1, replaced);
    expect(said(take(), "registration")).toMatchObject([{ state: "refused" }]);
  });
});

describe("a call that comes up", () => {
  const resumptions = (effects: readonly Effect[]): number[] =>
    effects.flatMap((effect) => {
      const parsed = effect.type === "send" ? parseSignal(effect.bytes) : undefined;
      return effect.type === "send" && parsed?.ok === true && parsed.message.type === "CallResume" ? [effect.session] : [];
    });

  it("by the relay that is being left is taken up at the one that has us now", () => {
    const call = { isUp: false };
    const { sessions, take, link, register } = world(true, call);
    sessions.desire(two);
    register(2);
    expect(resumptions(take())).toEqual([]);
    call.isUp = true;
    sessions.granted(link(1), 3);
    expect(resumptions(take())).toEqual([2]);
    expect(sessions.mediaLink()?.id).toBe(2);
  });

  it("while another session is on its way to be the registered one is taken up there when it is", () => {
    const call = { isUp: false };
    const { sessions, take, link } = world(true, call);
    sessions.desire(two);
    sessions.session(2, { type: "connected", rtt: millis(20), handshake: millis(20), fingerprint: "" });
    call.isUp = true;
    sessions.granted(link(1), 3);
    sessions.session(2, { type: "message", bytes: new Uint8Array() });
    expect(resumptions(take())).toEqual([]);
    sessions.acknowledged(link(2), { type: "RegisterAck", ok: true });
    expect(resumptions(take())).toEqual([2]);
  });
});

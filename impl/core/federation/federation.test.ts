/** What a relay takes from another one, said to it message by message: the link itself, users and forwards. */
import { expect, test } from "vitest";
import { parseSignal, type SignalMessage } from "../../wire/signal.ts";
import { bindingResponse } from "../../wire/stun.ts";
import { packTrunk } from "../../wire/trunk.ts";
import type { Effect } from "../effect.ts";
import { type Identity, identityFromSecret } from "../identity.ts";
import { nobleCrypto } from "../noble-crypto.ts";
import { nonceAt, signRegistration } from "../registration.ts";
import {
  accept,
  alice,
  bob,
  CALL,
  mallory,
  media,
  offer,
  PIN,
  refusedFor,
  resumption,
  type World,
  world,
} from "../relay-world.fixture.ts";
import { signHello } from "./hello.ts";
import { TrunkLine } from "./trunk-line.ts";

const west: Identity = identityFromSecret(nobleCrypto, new Uint8Array(32).fill(21));
const own: Identity = identityFromSecret(nobleCrypto, new Uint8Array(32).fill(22));
const LINK = -9;
const nonce = new Uint8Array(16).fill(5);

/** Octets that are other ones each time. */
const fresh = (): ((length: number) => Uint8Array) => {
  let count = 0;
  return (length) => new Uint8Array(length).fill(++count);
};
const south: Identity = identityFromSecret(nobleCrypto, new Uint8Array(32).fill(23));
const SOUTH = "ab".repeat(32);
const OTHER_CALL = "fedcba9876543210fedcba9876543210";
/** Of west's certificate. */
const WEST = "ef".repeat(32);
/** West announces a user, who has signed for `pin`. */
const announced = (who: Identity, whole: boolean, pin = WEST, user = who): SignalMessage => ({
  type: "FederationUsers",
  whole,
  added: [user.fingerprint],
  proofs: [signRegistration(nobleCrypto, who, pin, nonce)],
  removed: [],
});

/** Relay "zenith" with bob on session -2 as its only user; "west" comes first by name, so it is west that dials. */
function zenith(): World {
  return world([bob], {
    federation: {
      name: "zenith",
      identity: own,
      entropy: fresh(),
      backoff: [],
      peers: [{ name: "west", address: "192.0.2.200:4433", pin: WEST, fingerprint: west.fingerprint }],
    },
  });
}
/** The same, with the link up and alice announced as a user of west. */
function linked(): World {
  const w = zenith();
  w.step({ type: "accepted", session: LINK, remote: "192.0.2.200:4433" });
  w.say(LINK, signHello(nobleCrypto, west, "west", PIN, nonce));
  w.say(LINK, announced(alice, true));
  return w;
}
const forward = (from: Identity, to: Identity, message: SignalMessage, relay = "west"): SignalMessage => ({
  type: "FederatedSignalForward",
  from_relay: relay,
  from: from.fingerprint,
  to: to.fingerprint,
  message: { ...message },
});
const sent = (effects: readonly Effect[]): (readonly [number, SignalMessage])[] =>
  effects.flatMap((effect) => {
    if (effect.type !== "send") return [];
    const parsed = parseSignal(effect.bytes);
    return parsed.ok ? [[effect.session, parsed.message] as const] : [];
  });
const types = (effects: readonly Effect[]): (readonly [number, string])[] => sent(effects).map(([to, { type }]) => [to, type]);

test("the relay that dials proves its identity for this certificate, and is told of the users here", () => {
  const w = zenith();
  w.step({ type: "accepted", session: LINK, remote: "192.0.2.200:4433" });
  const answers = sent(w.say(LINK, signHello(nobleCrypto, west, "west", PIN, nonce)));
  expect(answers).toEqual([
    [LINK, { type: "FederationHelloAck", ok: true }],
    [
      LINK,
      {
        type: "FederationUsers",
        whole: true,
        added: [bob.fingerprint],
        proofs: [signRegistration(nobleCrypto, bob, PIN, new Uint8Array(16))],
        removed: [],
      },
    ],
  ]);
});

test.each([
  ["another identity", signHello(nobleCrypto, mallory, "west", PIN, nonce)],
  ["another relay's certificate", signHello(nobleCrypto, west, "west", "00".repeat(32), nonce)],
  ["an unknown name", signHello(nobleCrypto, west, "east", PIN, nonce)],
])("a hello with %s is refused, and nothing else happens", (_, hello) => {
  const w = zenith();
  w.step({ type: "accepted", session: LINK, remote: "192.0.2.200:4433" });
  const effects = w.say(LINK, hello);
  expect(sent(effects).map(([, message]) => message)).toMatchObject([{ type: "FederationHelloAck", ok: false }]);
  expect(refusedFor(effects)).toHaveLength(1);
  expect(types(w.say(LINK, announced(alice, true)))).toEqual([[LINK, "Refusal"]]);
});

test("a call comes up between users of two relays: what is for the other's user is forwarded, each side gets its set-up from its own relay", () => {
  const w = linked();
  expect(types(w.say(LINK, forward(alice, bob, offer())))).toEqual([[-2, "DirectCallOffer"]]);
  const effects = w.say(-2, accept);
  expect(types(effects)).toEqual([
    [LINK, "FederatedSignalForward"],
    [LINK, "FederationChannel"],
    [-2, "CallSetup"],
  ]);
  expect(sent(effects)[0]?.[1]).toMatchObject({ from_relay: "zenith", from: bob.fingerprint, to: alice.fingerprint });
});

test("media goes under the number that its receiver gave, in both directions", () => {
  const w = linked();
  w.say(LINK, forward(alice, bob, offer()));
  const [, channel] = sent(w.say(-2, accept)).find(([, { type }]) => type === "FederationChannel") ?? [];
  if (channel?.type !== "FederationChannel") throw new Error("no number was given");
  expect(refusedFor(w.datagram(-2, media(0)))).toEqual(["unknown-call"]); // west gave none yet
  w.say(LINK, { type: "FederationChannel", call_id: CALL, from: bob.fingerprint, number: 77 });
  expect(w.datagram(-2, media(0))).toEqual([
    { type: "datagram", session: LINK, bytes: packTrunk([{ number: 77, packet: media(0) }]) },
  ]);
  expect(w.datagram(LINK, packTrunk([{ number: channel.number, packet: media(9) }]))).toEqual([
    { type: "datagram", session: -2, bytes: media(0) }, // under the channel it has here
  ]);
  expect(refusedFor(w.datagram(LINK, packTrunk([{ number: channel.number + 1, packet: media(9) }])))).toEqual(["unknown-call"]);
});

test("a relay speaks in its own name, for users it has announced, to users who are here: all else is refused", () => {
  const refusals = (message: SignalMessage): unknown => {
    const effects = linked().say(LINK, message);
    return [refusedFor(effects), types(effects)];
  };
  expect(refusals(forward(alice, bob, offer(), "east"))).toEqual([["unexpected"], []]);
  expect(refusals(forward(mallory, bob, offer(CALL, mallory)))).toEqual([["unauthenticated"], []]);
  expect(refusals(forward(bob, bob, offer()))).toEqual([["unauthenticated"], []]); // bob is ours
  expect(refusals(forward(alice, bob, offer(CALL, mallory)))).toEqual([["forged-signature"], []]);
  expect(refusals(forward(alice, mallory, offer()))).toEqual([["unexpected"], [[LINK, "FederatedSignalForward"]]]); // the offer's refusal
  expect(refusals({ ...forward(alice, bob, offer()), message: { type: "Hangup" } } as SignalMessage)).toEqual([
    ["malformed"],
    [],
  ]);
  expect(refusals(forward(alice, bob, { type: "Reflect", txn: 1 }))).toEqual([["unexpected"], []]);
});

test("nothing goes in circles or through: what comes back, or is for another relay's user, is sent nowhere; what comes twice is one call", () => {
  const w = world([bob], {
    federation: {
      name: "zenith",
      identity: own,
      entropy: fresh(),
      backoff: [],
      peers: [
        { name: "south", address: "192.0.2.201:4433", pin: SOUTH, fingerprint: south.fingerprint },
        { name: "west", address: "192.0.2.200:4433", pin: WEST, fingerprint: west.fingerprint },
      ],
    },
  });
  const [toWest, toSouth] = [LINK, LINK - 1];
  for (const [link, who, name, address] of [
    [toWest, west, "west", "192.0.2.200:4433"],
    [toSouth, south, "south", "192.0.2.201:4433"],
  ] as const) {
    w.step({ type: "accepted", session: link, remote: address });
    w.say(link, signHello(nobleCrypto, who, name, PIN, nonce));
  }
  w.say(toWest, announced(alice, true));
  w.say(toSouth, announced(mallory, true, SOUTH));
  const calls = (): unknown => w.step({ type: "held" });
  // What zenith sent to west comes back, as a loop would bring it: in its own name, and then as west's.
  const [[, ours] = []] = sent(w.say(-2, { ...offer(CALL, bob), callee_fingerprint: alice.fingerprint } as SignalMessage));
  if (ours?.type !== "FederatedSignalForward") throw new Error("nothing was forwarded");
  for (const from_relay of ["zenith", "west"]) {
    const effects = w.say(toWest, { ...ours, from_relay });
    expect([refusedFor(effects).length, types(effects)]).toEqual([1, []]);
  }
  // For a user of south's: there is no transit, and west is told that nobody here is called so.
  const through = w.say(
    toWest,
    forward(alice, mallory, { ...offer(), callee_fingerprint: mallory.fingerprint } as SignalMessage),
  );
  expect(refusedFor(through)).toEqual(["unexpected"]);
  expect(types(through)).toEqual([[toWest, "FederatedSignalForward"]]);
  // South speaks for west's user.
  const posing = w.say(toSouth, forward(alice, bob, offer(OTHER_CALL), "south"));
  expect([refusedFor(posing), types(posing)]).toEqual([["unauthenticated"], []]);
  // Twice, as a link that resends would: passed on each time, for it may not have arrived, and one call.
  for (const _ of [1, 2]) expect(types(w.say(toWest, forward(alice, bob, offer(OTHER_CALL))))).toEqual([[-2, "DirectCallOffer"]]);
  expect(calls()).toMatchObject([{ saying: { calls: 2 } }]);
  const hangUp: SignalMessage = { type: "Hangup", call_id: OTHER_CALL, reason: "user" };
  expect(types(w.say(toWest, forward(alice, bob, hangUp)))).toEqual([
    [toWest, "FederatedSignalForward"],
    [-2, "Hangup"],
  ]);
  expect(types(w.say(toWest, forward(alice, bob, hangUp)))).toEqual([[toWest, "FederatedSignalForward"]]); // its acknowledgement again
  expect(calls()).toMatchObject([{ saying: { calls: 1 } }]);
});

test("a relay cannot announce a user who has not signed for its certificate", () => {
  const refusals = (message: SignalMessage): unknown => {
    const w = zenith();
    w.step({ type: "accepted", session: LINK, remote: "192.0.2.200:4433" });
    w.say(LINK, signHello(nobleCrypto, west, "west", PIN, nonce));
    const refused = refusedFor(w.say(LINK, message));
    // Whoever it was: nothing it says is taken for that user's.
    expect(refusedFor(w.say(LINK, forward(alice, bob, offer())))).toEqual(["unauthenticated"]);
    return refused;
  };
  const { proofs: _, ...bare } = announced(alice, true) as SignalMessage & { type: "FederationUsers" };
  expect(refusals(bare)).toEqual(["unauthenticated"]);
  expect(refusals(announced(alice, true, PIN))).toEqual(["forged-signature"]); // signed for this relay, not for west
  expect(refusals(announced(mallory, true, WEST, alice))).toEqual(["forged-signature"]); // another's registration
});

test("an earlier registration of a user is refused once a later one is known, from another relay or from the user", () => {
  const at = (ms: number): Uint8Array => nonceAt(ms, new Uint8Array(16));
  const dated = (ms: number): SignalMessage => ({
    ...(announced(bob, true) as SignalMessage & { type: "FederationUsers" }),
    proofs: [signRegistration(nobleCrypto, bob, WEST, at(ms))],
  });
  const w = linked();
  const relink = (session: number): void => {
    w.step({ type: "session", session: session + 1, event: { type: "closed", reason: "idle-timeout" } });
    w.step({ type: "accepted", session, remote: "192.0.2.200:4433" });
    w.say(session, signHello(nobleCrypto, west, "west", PIN, nonce));
  };
  w.say(-2, { type: "Register", ...signRegistration(nobleCrypto, bob, PIN, at(500)) }); // to this relay itself
  expect(refusedFor(w.say(LINK, dated(499)))).toEqual(["replayed"]);
  expect(refusedFor(w.say(LINK, announced(bob, true)))).toEqual(["replayed"]); // tells no time at all
  expect(refusedFor(w.say(LINK, dated(501)))).toEqual([]); // bob has moved to west
  relink(LINK - 1);
  expect(refusedFor(w.say(LINK - 1, dated(500)))).toEqual(["replayed"]);
  expect(refusedFor(w.say(LINK - 1, dated(501)))).toEqual([]); // a link that comes back tells the same again
  w.say(-2, { type: "Register", ...signRegistration(nobleCrypto, bob, PIN, at(3)) }); // bob's clock was set back: whom bob asks believes it
  relink(LINK - 2);
  expect(refusedFor(w.say(LINK - 2, dated(4)))).toEqual([]);
});

test("a link that is gone leaves the call to wait for its party, and a new one takes it up again", () => {
  const w = linked();
  w.say(LINK, forward(alice, bob, offer()));
  w.say(-2, accept);
  w.say(LINK, { type: "FederationChannel", call_id: CALL, from: bob.fingerprint, number: 77 });
  w.step({ type: "session", session: LINK, event: { type: "closed", reason: "idle-timeout" } });
  expect(w.datagram(-2, media(0)).filter(({ type }) => type === "datagram")).toEqual([]);
  w.step({ type: "accepted", session: -10, remote: "192.0.2.200:4433" });
  w.say(-10, signHello(nobleCrypto, west, "west", PIN, nonce));
  const again = w.say(-10, announced(alice, true));
  expect(types(again)).toEqual([[-10, "FederationChannel"]]);
  w.say(-10, { type: "FederationChannel", call_id: CALL, from: bob.fingerprint, number: 5 });
  expect(w.datagram(-2, media(0))).toEqual([
    { type: "datagram", session: -10, bytes: packTrunk([{ number: 5, packet: media(0) }]) },
  ]);
});

/** Answers every question of the relay about the way to west for so many half seconds, if it is there; all other effects. */
function halfSeconds(w: World, count: number, isThere: boolean): Effect[] {
  const told: Effect[] = [];
  for (let n = 0; n < count; n++) {
    for (const effect of w.pass(0.6)) {
      if (effect.type !== "packet" || !isThere) told.push(effect);
      else w.step({ type: "packet", from: effect.to, bytes: bindingResponse(effect.bytes.subarray(8, 20), "192.0.2.1:4433") });
    }
  }
  return told;
}
const downs = (effects: readonly Effect[]): unknown[] =>
  effects.flatMap((effect) => (effect.type === "say" && effect.saying.ev === "federation" ? [effect.saying] : []));

test("a relay that is dialled lets go of a link whose other end answers nothing, and not of one that is idle", () => {
  const w = linked();
  w.step({ type: "start" });
  expect(downs(halfSeconds(w, 40, true))).toEqual([]);
  const effects = halfSeconds(w, 6, false);
  expect(downs(effects)).toEqual([{ ev: "federation", peer: "west", state: "down", reason: "silent" }]);
  expect(effects).toContainEqual({ type: "close", session: LINK, detail: "silent" });
  expect(types(w.say(-2, { ...offer(CALL, bob), callee_fingerprint: alice.fingerprint } as SignalMessage))).toEqual([
    [-2, "Refusal"],
  ]);
});

test("a relay tells how the way to another one is: what it asked, what was lost, and how long it took", () => {
  const w = zenith();
  w.step({ type: "start" });
  const paths = (effects: readonly Effect[]): unknown[] =>
    effects.flatMap((effect) => (effect.type === "say" && effect.saying.ev === "relay-path" ? [effect.saying] : []));
  const first = paths(halfSeconds(w, 9, true));
  expect(first).toEqual([{ ev: "relay-path", peer: "west", asked: 9, lost: 0, rttMs: 0, jitterMs: 0 }]);
  const later = paths(halfSeconds(w, 9, false)).at(-1);
  expect(later).toMatchObject({ asked: 18, lost: 7 });
});

test("of two relays the one whose name comes first dials", () => {
  const w = zenith();
  expect(w.step({ type: "start" }).filter(({ type }) => type === "connect")).toEqual([]);
  const first = world([bob], {
    federation: {
      name: "abc",
      identity: own,
      entropy: (length) => new Uint8Array(length),
      backoff: [],
      peers: [{ name: "west", address: "192.0.2.200:4433", pin: WEST, fingerprint: west.fingerprint }],
    },
  });
  expect(first.step({ type: "start" }).filter(({ type }) => type === "connect")).toHaveLength(1);
});

test("what another relay says for a user who is here is believed when it proves itself, and not before", () => {
  const w = linked();
  w.say(LINK, forward(alice, bob, offer()));
  w.say(-2, accept);
  w.say(LINK, announced(bob, false));
  expect(refusedFor(w.say(LINK, forward(bob, alice, { type: "Hangup", call_id: CALL })))).toEqual(["unauthenticated"]);
  const unproven = { type: "CallResume", call_id: CALL, peer_fingerprint: alice.fingerprint, role: "callee" } as const;
  expect(refusedFor(w.say(LINK, forward(bob, alice, unproven)))).toEqual(["unauthenticated"]);
});

test("a resumption that another relay tells late, or says back, moves nobody who has been here since", () => {
  const w = linked();
  w.say(LINK, forward(alice, bob, offer()));
  w.say(-2, accept);
  const resumed = (attempt: number): SignalMessage => ({ ...resumption(bob, alice, "callee"), attempt });
  w.say(-2, resumed(3));
  w.say(LINK, announced(bob, false));
  expect(refusedFor(w.say(LINK, forward(bob, alice, resumed(2))))).toEqual(["unexpected"]); // alice is not here
  w.step({ type: "accepted", session: -5, remote: "192.0.2.1:2000" });
  w.say(-5, { type: "Register", ...signRegistration(nobleCrypto, alice, PIN, nonce) });
  w.say(-5, { ...resumption(alice, bob, "caller"), attempt: 1 });
  for (const attempt of [2, 3])
    expect(refusedFor(w.say(LINK, forward(bob, alice, resumed(attempt))))).toEqual(["stale-generation"]);
  expect(w.datagram(-5, media(0))).toMatchObject([{ type: "datagram", session: -2 }]);
  expect(refusedFor(w.say(LINK, forward(bob, alice, resumed(4))))).toEqual([]);
  expect(w.datagram(-5, media(0)).some((effect) => effect.type === "datagram" && effect.session === -2)).toBe(false);
});

test("who came and went back is believed to hang up by the relay that carries its call, and by no other, while its session here is open", () => {
  const w = linked();
  const hangUp = forward(alice, bob, { type: "Hangup", call_id: CALL });
  w.say(LINK, forward(alice, bob, offer()));
  w.say(-2, accept);
  w.step({ type: "accepted", session: -5, remote: "192.0.2.1:2000" });
  w.say(-5, { type: "Register", ...signRegistration(nobleCrypto, alice, PIN, nonce) });
  w.say(-5, { ...resumption(alice, bob, "caller"), attempt: 1 });
  expect(refusedFor(w.say(LINK, hangUp))).toEqual(["unauthenticated"]); // it is from here that she speaks
  expect(refusedFor(w.say(LINK, forward(alice, bob, { ...resumption(alice, bob, "caller"), attempt: 2 })))).toEqual([]);
  const elsewhere = forward(alice, bob, { type: "Hangup", call_id: OTHER_CALL });
  expect(refusedFor(w.say(LINK, elsewhere))).toEqual(["unauthenticated"]);
  const effects = w.say(LINK, hangUp);
  expect(refusedFor(effects)).toEqual([]);
  expect(types(effects)).toContainEqual([-2, "Hangup"]);
});

test("a user's closed session does not orphan the call that another relay carries on", () => {
  const w = world([alice, bob], {
    federation: {
      name: "zenith",
      identity: own,
      entropy: fresh(),
      backoff: [],
      peers: [{ name: "west", address: "192.0.2.200:4433", pin: WEST, fingerprint: west.fingerprint }],
    },
  });
  w.say(-1, offer());
  w.say(-2, accept);
  w.step({ type: "accepted", session: LINK, remote: "192.0.2.200:4433" });
  w.say(LINK, signHello(nobleCrypto, west, "west", PIN, nonce));
  w.say(LINK, announced(bob, true));
  const moved = w.say(LINK, forward(bob, alice, resumption(bob, alice, "callee")));
  expect(refusedFor(moved)).toEqual([]);
  expect(types(moved)).toContainEqual([LINK, "FederationChannel"]);
  expect(w.datagram(-2, media(0))).toEqual([{ type: "datagram", session: -1, bytes: media(0) }]); // still on its way by the old session
  w.say(LINK, { type: "FederationChannel", call_id: CALL, from: alice.fingerprint, number: 7 });
  w.step({ type: "session", session: -2, event: { type: "closed", reason: "peer" } });
  expect(w.datagram(-1, media(0))).toEqual([
    { type: "datagram", session: LINK, bytes: packTrunk([{ number: 7, packet: media(0) }]) },
  ]);
  expect(types(w.pass(61))).toEqual([]); // nobody waits for it
});

test("a relay refuses calls of its own users alone", () => {
  const w = linked();
  w.say(-2, offer(CALL, bob));
  const refusal = { type: "Refusal", re: "DirectCallOffer", reason: "unknown-peer", call_id: CALL } as const;
  expect(refusedFor(w.say(LINK, forward(mallory, bob, refusal)))).toEqual(["unknown-call"]);
});

test("numbers of calls that are over are free again, however many calls a link has carried", () => {
  const line = new TrunkLine();
  const peer = { fingerprint: alice.fingerprint, channels: new Map() } as unknown as Parameters<TrunkLine["take"]>[0];
  for (let n = 0; n < 70_000; n++) {
    const call = { id: `${n}`, parties: [alice.fingerprint, bob.fingerprint] } as unknown as Parameters<TrunkLine["take"]>[1];
    const number = line.take(peer, call);
    expect(line.take(peer, call)).toBe(number);
    expect(line.give(call.id, bob.fingerprint, n & 0xffff)).toBe(true);
    line.forget(call);
  }
  expect(line.calls).toBe(0);
});

test("a relay whose other end missed a question asks by the link, once, whether it is still known there", () => {
  const w = linked();
  w.step({ type: "start" });
  const challenges = (effects: readonly Effect[]): unknown[] =>
    effects.flatMap((effect) => {
      if (effect.type !== "send" || effect.session !== LINK) return [];
      const parsed = parseSignal(effect.bytes);
      return parsed.ok ? [parsed.message] : [];
    });
  expect(challenges(halfSeconds(w, 5, true))).toEqual([]);
  expect(challenges(halfSeconds(w, 1, false))).toEqual([]);
  const effects = w.pass(0.6).flatMap((effect) => {
    if (effect.type !== "packet") return [effect];
    return w.step({ type: "packet", from: effect.to, bytes: bindingResponse(effect.bytes.subarray(8, 20), "192.0.2.1:4433") });
  });
  expect(challenges(effects)).toEqual([{ type: "FederationUsers", whole: false, added: [], proofs: [], removed: [] }]);
  expect(challenges(halfSeconds(w, 5, true))).toEqual([]);
});

/** What a relay takes from another one, said to it message by message: the link itself, users and forwards. */
import { expect, test } from "vitest";
import { parseSignal, type SignalMessage } from "../../wire/signal.ts";
import { packTrunk } from "../../wire/trunk.ts";
import type { Effect } from "../effect.ts";
import { type Identity, identityFromSecret } from "../identity.ts";
import { nobleCrypto } from "../noble-crypto.ts";
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

/** Relay "zenith" with bob on session -2 as its only user; "west" comes first by name, so it is west that dials. */
function zenith(): World {
  return world([bob], {
    federation: {
      name: "zenith",
      identity: own,
      entropy: (length) => new Uint8Array(length).fill(3),
      backoff: [],
      peers: [{ name: "west", address: "192.0.2.200:4433", pin: "ef".repeat(32), fingerprint: west.fingerprint }],
    },
  });
}
/** The same, with the link up and alice announced as a user of west. */
function linked(): World {
  const w = zenith();
  w.step({ type: "accepted", session: LINK, remote: "192.0.2.200:4433" });
  w.say(LINK, signHello(nobleCrypto, west, "west", PIN, nonce));
  w.say(LINK, { type: "FederationUsers", whole: true, added: [alice.fingerprint], removed: [] });
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
    [LINK, { type: "FederationUsers", whole: true, added: [bob.fingerprint], removed: [] }],
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
  expect(types(w.say(LINK, { type: "FederationUsers", whole: true, added: [alice.fingerprint], removed: [] }))).toEqual([
    [LINK, "Refusal"],
  ]);
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

test("a link that is gone leaves the call to wait for its party, and a new one takes it up again", () => {
  const w = linked();
  w.say(LINK, forward(alice, bob, offer()));
  w.say(-2, accept);
  w.say(LINK, { type: "FederationChannel", call_id: CALL, from: bob.fingerprint, number: 77 });
  w.step({ type: "session", session: LINK, event: { type: "closed", reason: "idle-timeout" } });
  expect(w.datagram(-2, media(0)).filter(({ type }) => type === "datagram")).toEqual([]);
  w.step({ type: "accepted", session: -10, remote: "192.0.2.200:4433" });
  w.say(-10, signHello(nobleCrypto, west, "west", PIN, nonce));
  const again = w.say(-10, { type: "FederationUsers", whole: true, added: [alice.fingerprint], removed: [] });
  expect(types(again)).toEqual([[-10, "FederationChannel"]]);
  w.say(-10, { type: "FederationChannel", call_id: CALL, from: bob.fingerprint, number: 5 });
  expect(w.datagram(-2, media(0))).toEqual([
    { type: "datagram", session: -10, bytes: packTrunk([{ number: 5, packet: media(0) }]) },
  ]);
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
      peers: [{ name: "west", address: "192.0.2.200:4433", pin: "ef".repeat(32), fingerprint: west.fingerprint }],
    },
  });
  expect(first.step({ type: "start" }).filter(({ type }) => type === "connect")).toHaveLength(1);
});

test("what another relay says for a user who is here is believed when it proves itself, and not before", () => {
  const w = linked();
  w.say(LINK, forward(alice, bob, offer()));
  w.say(-2, accept);
  w.say(LINK, { type: "FederationUsers", whole: false, added: [bob.fingerprint], removed: [] });
  expect(refusedFor(w.say(LINK, forward(bob, alice, { type: "Hangup", call_id: CALL })))).toEqual(["unauthenticated"]);
  const unproven = { type: "CallResume", call_id: CALL, peer_fingerprint: alice.fingerprint, role: "callee" } as const;
  expect(refusedFor(w.say(LINK, forward(bob, alice, unproven)))).toEqual(["unauthenticated"]);
});

test("a user's closed session does not orphan the call that another relay carries on", () => {
  const w = world([alice, bob], {
    federation: {
      name: "zenith",
      identity: own,
      entropy: (length) => new Uint8Array(length).fill(3),
      backoff: [],
      peers: [{ name: "west", address: "192.0.2.200:4433", pin: "ef".repeat(32), fingerprint: west.fingerprint }],
    },
  });
  w.say(-1, offer());
  w.say(-2, accept);
  w.step({ type: "accepted", session: LINK, remote: "192.0.2.200:4433" });
  w.say(LINK, signHello(nobleCrypto, west, "west", PIN, nonce));
  w.say(LINK, { type: "FederationUsers", whole: true, added: [bob.fingerprint], removed: [] });
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

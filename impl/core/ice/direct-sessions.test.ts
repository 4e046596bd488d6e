/**
 * Two parties of a call, and somebody between them who answers on a candidate address, dials one, repeats what he has seen, or has stolen a certificate. The
 * transport is taken at its word: it closes what shows another certificate than the pinned one (session.contract holds both drivers to it).
 */
import { describe, expect, test } from "vitest";
import { toHex } from "../../base/cursor.ts";
import { Instant, type Micros, millis } from "../../base/units.ts";
import { type DirectMessage, encodeDirect, KEEPALIVE, parseDirect } from "../../wire/direct.ts";
import type { Effect } from "../effect.ts";
import { nobleCrypto } from "../noble-crypto.ts";
import { Outbox } from "../outbox.ts";
import type { SessionId } from "../session.ts";
import { helloProof, punchTransaction, readyProof } from "./direct-proof.ts";
import { directSessions, type Meeting } from "./direct-sessions.ts";

const CALL = "00112233445566778899aabbccddeeff";
const [ONE, OTHER] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
const [DIALER_CERTIFICATE, ACCEPTOR_CERTIFICATE] = ["d1".repeat(32), "ac".repeat(32)];
const keysOf = (send: Uint8Array, receive: Uint8Array) => ({ send, receive, sendId: "", receiveId: "" });
const [DIALER_KEYS, ACCEPTOR_KEYS] = [keysOf(ONE, OTHER), keysOf(OTHER, ONE)];
const MEDIA = new Uint8Array(60).fill(0x80);
const CANDIDATE = { address: "192.168.7.5:4433", type: "host" } as const;

/** One party's sessions, and all they did. */
function party(role: "dialer" | "acceptor") {
  const out = new Outbox();
  let now = Instant(0);
  let numbers = 0;
  let entropy = 0;
  const seen = { ready: [] as SessionId[], media: 0, hungUp: [] as string[] };
  const effects: Effect[] = [];
  const sessions = directSessions(nobleCrypto, out, {
    now: () => now,
    entropy: (length) => new Uint8Array(length).fill(++entropy),
    nextSession: () => ++numbers,
    ready: (pair) => seen.ready.push(pair.id),
    gone: () => undefined,
    hungUp: (reason) => seen.hungUp.push(reason),
    heard: () => undefined,
    media: () => seen.media++,
    raceLost: () => undefined,
  });
  const meeting: Meeting =
    role === "dialer"
      ? { call: CALL, role, keys: DIALER_KEYS, ownCertificate: DIALER_CERTIFICATE, peerCertificate: ACCEPTOR_CERTIFICATE }
      : { call: CALL, role, keys: ACCEPTOR_KEYS, ownCertificate: ACCEPTOR_CERTIFICATE, peerCertificate: DIALER_CERTIFICATE };
  sessions.begin(meeting);
  sessions.race([CANDIDATE], true, undefined);
  const did = (): readonly Effect[] => {
    effects.push(...out.take());
    return effects;
  };
  return {
    ...{ sessions, seen },
    connected: (session: SessionId) =>
      sessions.session(session, { type: "connected", rtt: millis(50), handshake: millis(50), fingerprint: "" }),
    hears: (session: SessionId, message: DirectMessage) =>
      sessions.session(session, { type: "message", bytes: encodeDirect(message) }),
    hearsMedia: (session: SessionId, bytes: Uint8Array<ArrayBufferLike> = MEDIA) =>
      sessions.session(session, { type: "datagram", bytes }),
    later: (length: Micros) => {
      now = Instant.after(now, length);
      sessions.wake();
    },
    /** What it sent on a session. */
    sent: (session: SessionId) =>
      did().flatMap((one) => (one.type === "send" && one.session === session ? [parseDirect(one.bytes)] : [])),
    dialled: () => did().flatMap((one) => (one.type === "connect" ? [one] : [])),
    closed: () => did().flatMap((one) => (one.type === "close" ? [one.session] : [])),
    refused: () => did().flatMap((one) => (one.type === "say" && one.saying.ev === "refused" ? [one.saying.reason] : [])),
  };
}

/** The dialler's hello on its first session. */
function helloOf(dialer: ReturnType<typeof party>): DirectMessage & { type: "DirectHello" } {
  const [hello] = dialer.sent(1);
  if (hello?.type !== "DirectHello") throw new Error("no hello");
  return hello;
}
const accepted = (acceptor: ReturnType<typeof party>, session: SessionId): void => {
  acceptor.sessions.accepted(session, "192.0.2.66:666");
  acceptor.connected(session);
};
const nothingGained = (victim: ReturnType<typeof party>): void => {
  expect(victim.seen).toEqual({ ready: [], media: 0, hungUp: [] });
};

test("the two parties of a call prove themselves to each other, and both take the session", () => {
  const [dialer, acceptor] = [party("dialer"), party("acceptor")];
  expect(dialer.dialled()).toMatchObject([{ remote: CANDIDATE.address, pin: ACCEPTOR_CERTIFICATE }]);
  dialer.connected(1);
  accepted(acceptor, -1);
  acceptor.hears(-1, helloOf(dialer));
  const [ready] = acceptor.sent(-1);
  expect(ready?.type).toBe("DirectReady");
  if (ready !== undefined) dialer.hears(1, ready);
  expect([dialer.seen.ready, acceptor.seen.ready]).toEqual([[1], [-1]]);
  acceptor.hearsMedia(-1);
  expect(acceptor.seen.media).toBe(1);
});

describe("an attacker who answers on a candidate address", () => {
  test("with another certificate: the session never comes up, and nothing is said on it", () => {
    const dialer = party("dialer");
    dialer.sessions.session(1, { type: "closed", reason: "pin-mismatch" });
    expect(dialer.refused()).toEqual(["unauthentic"]);
    expect(dialer.sent(1)).toEqual([]);
    nothingGained(dialer);
  });

  test("with the acceptor's certificate and no keys of the call: no word of his makes the session ready, and the race ends without it", () => {
    const dialer = party("dialer");
    dialer.connected(1);
    const hello = helloOf(dialer);
    dialer.hears(1, hello);
    dialer.hears(1, { type: "DirectReady", call_id: CALL, proof: hello.proof });
    expect(dialer.refused()).toEqual(["unexpected", "unauthentic"]);
    expect(dialer.closed()).toEqual([1]);
    nothingGained(dialer);
  });

  test("who keeps silent is left after two seconds, and media has not been sent to him", () => {
    const dialer = party("dialer");
    dialer.connected(1);
    dialer.later(millis(2_000));
    expect(dialer.closed()).toContain(1);
    nothingGained(dialer);
  });

  test("who repeats the acceptor's word from another session of the same call", () => {
    const dialer = party("dialer");
    dialer.connected(1);
    const about = { call: CALL, certificate: ACCEPTOR_CERTIFICATE };
    const old = readyProof(nobleCrypto, ACCEPTOR_KEYS, new Uint8Array(16).fill(99), about);
    dialer.hears(1, { type: "DirectReady", call_id: CALL, proof: old });
    expect(dialer.refused()).toEqual(["unauthentic"]);
    nothingGained(dialer);
  });
});

describe("an attacker who dials a candidate address", () => {
  test("and sends media or signs of life without a proof: nothing passes, and he is closed after two seconds", () => {
    const acceptor = party("acceptor");
    accepted(acceptor, -1);
    acceptor.hearsMedia(-1);
    acceptor.hearsMedia(-1, KEEPALIVE);
    expect(acceptor.refused()).toEqual(["unauthenticated", "unauthenticated"]);
    acceptor.later(millis(2_000));
    expect(acceptor.closed()).toEqual([-1]);
    expect(acceptor.sent(-1)).toEqual([]);
    nothingGained(acceptor);
  });

  test.each([
    ["made with other keys", keysOf(new Uint8Array(32).fill(9), OTHER), ACCEPTOR_CERTIFICATE],
    ["made with the acceptor's own keys", ACCEPTOR_KEYS, ACCEPTOR_CERTIFICATE],
    ["made for another acceptor", DIALER_KEYS, DIALER_CERTIFICATE],
  ])("with a proof %s is closed at once", (_, keys, certificate) => {
    const acceptor = party("acceptor");
    accepted(acceptor, -1);
    const nonce = new Uint8Array(16).fill(5);
    const proof = helloProof(nobleCrypto, keys, nonce, { call: CALL, certificate });
    acceptor.hears(-1, { type: "DirectHello", call_id: CALL, nonce: toHex(nonce), proof });
    expect([acceptor.refused(), acceptor.closed()]).toEqual([["unauthentic"], [-1]]);
    nothingGained(acceptor);
  });

  test("with a proof that the dialler used already is closed at once, and the dialler's session goes on", () => {
    const [dialer, acceptor] = [party("dialer"), party("acceptor")];
    dialer.connected(1);
    accepted(acceptor, -1);
    acceptor.hears(-1, helloOf(dialer));
    acceptor.sessions.race([CANDIDATE], false, undefined);
    accepted(acceptor, -2);
    acceptor.hears(-2, helloOf(dialer));
    acceptor.hearsMedia(-2);
    expect([acceptor.refused()[0], acceptor.closed()]).toEqual(["replayed", [-2]]);
    expect(acceptor.seen).toEqual({ ready: [-1], media: 0, hungUp: [] });
  });

  test("of another call, or before there is one, is refused", () => {
    const acceptor = party("acceptor");
    accepted(acceptor, -1);
    acceptor.hears(-1, { type: "DirectHello", call_id: "ff".repeat(16), nonce: "00".repeat(16), proof: "00".repeat(32) });
    expect(acceptor.refused()).toEqual(["unknown-call"]);
    acceptor.sessions.end(undefined);
    acceptor.sessions.accepted(-2, "192.0.2.66:666");
    expect(acceptor.closed()).toContain(-2);
    nothingGained(acceptor);
  });

  test("many times over has eight sessions at most, and cannot hang up", () => {
    const acceptor = party("acceptor");
    for (let k = 1; k <= 20; k++) accepted(acceptor, -k);
    expect(acceptor.closed()).toHaveLength(12);
    acceptor.sessions.session(-1, { type: "closed", reason: "peer", detail: "hang-up because I say so" });
    nothingGained(acceptor);
  });
});

test("what has no filter before it is dialled at once, what has one 20 ms after both have sent to it, or as soon as its owner is heard from there", () => {
  const [nat, mapped] = ["203.0.113.5:4433", "203.0.113.5:80"];
  const candidates = [CANDIDATE, { address: mapped, type: "mapped" }, { address: nat, type: "reflexive" }] as const;
  const remotes = (dialer: ReturnType<typeof party>): string[] => dialer.dialled().map((one) => one.remote);
  const dialer = party("dialer");
  dialer.sessions.race(candidates, true, undefined);
  const before = remotes(dialer).length;
  expect(remotes(dialer).slice(-2)).toEqual([CANDIDATE.address, mapped]);
  dialer.later(millis(19));
  expect(remotes(dialer)).toHaveLength(before);
  dialer.later(millis(1));
  expect(remotes(dialer).slice(before)).toEqual([nat]);
  const early = party("dialer");
  early.sessions.race(candidates, true, undefined);
  early.sessions.punched(nat, punchTransaction(nobleCrypto, CALL, DIALER_KEYS.receive));
  expect(remotes(early).at(-1)).toBe(nat);
});

test("hanging up is said in the close of a session that is proved, and heard there", () => {
  const [dialer, acceptor] = [party("dialer"), party("acceptor")];
  dialer.connected(1);
  accepted(acceptor, -1);
  acceptor.hears(-1, helloOf(dialer));
  acceptor.sessions.session(-1, { type: "closed", reason: "peer", detail: "hang-up tired" });
  expect(acceptor.seen.hungUp).toEqual(["tired"]);
});

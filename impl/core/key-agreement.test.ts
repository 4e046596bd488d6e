import fc from "fast-check";
import { expect, test } from "vitest";
import type { CryptoEngine } from "./crypto.ts";
import { type Identity, identityFromSecret } from "./identity.ts";
import { type CallKeys, deriveKeys, type KeyShare, makeShare, verifyShare } from "./key-agreement.ts";
import { nobleCrypto } from "./noble-crypto.ts";

const engine: CryptoEngine = nobleCrypto;
const CALL = "c".repeat(32);
const party = (byte: number): Identity => identityFromSecret(engine, new Uint8Array(32).fill(byte));
const secret = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const [alice, bob, mallory] = [party(1), party(2), party(3)];

const offer = makeShare(engine, alice, secret(11), { call: CALL, role: "caller", peer: bob.fingerprint });
const answer = makeShare(engine, bob, secret(12), { call: CALL, role: "callee", peer: alice.fingerprint, answering: offer });
const asCaller = { call: CALL, role: "caller", from: alice.fingerprint, to: bob.fingerprint } as const;
const asCallee = { call: CALL, role: "callee", from: bob.fingerprint, to: alice.fingerprint, answering: offer } as const;
const forged = { ok: false, reason: "forged-signature" };

test("both sides verify each other and derive mirrored keys, distinct by direction", () => {
  const octets = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(octets, octets, fc.stringMatching(/^[0-9a-f]{32}$/), (a, b, call) => {
      const mine = makeShare(engine, alice, a, { call, role: "caller", peer: bob.fingerprint });
      const theirs = makeShare(engine, bob, b, { call, role: "callee", peer: alice.fingerprint, answering: mine });
      expect(verifyShare(engine, mine, { ...asCaller, call })).toEqual({ ok: true });
      expect(verifyShare(engine, theirs, { ...asCallee, call, answering: mine })).toEqual({ ok: true });
      const caller = deriveKeys(engine, { role: "caller", call, ephemeralSecret: a, mine, theirs }) as CallKeys;
      const callee = deriveKeys(engine, { role: "callee", call, ephemeralSecret: b, mine: theirs, theirs: mine }) as CallKeys;
      expect([caller.send, caller.sendId]).toEqual([callee.receive, callee.receiveId]);
      expect([caller.receive, caller.receiveId]).toEqual([callee.send, callee.sendId]);
      expect([caller.send.length, caller.receive.length]).toEqual([32, 32]);
      expect(caller.send).not.toEqual(caller.receive);
      expect(caller.sendId).toMatch(/^[0-9a-f]{8}$/);
      expect(caller.sendId).not.toBe(caller.receiveId);
    }),
    { seed: 40, numRuns: 6 },
  );
});

test("a man in the middle who puts in a share of his own is refused", () => {
  const his = makeShare(engine, mallory, secret(13), { call: CALL, role: "caller", peer: bob.fingerprint });
  expect(verifyShare(engine, his, asCaller)).toEqual(forged); // his identity is not alice's
  const posing = { ...mallory, fingerprint: alice.fingerprint };
  const lie = makeShare(engine, posing, secret(13), { call: CALL, role: "caller", peer: bob.fingerprint });
  expect(verifyShare(engine, lie, asCaller)).toEqual(forged); // signed as alice by a key whose fingerprint is not hers
  expect(verifyShare(engine, { ...his, identity: offer.identity }, asCaller)).toEqual(forged); // alice's identity, his signature
  expect(verifyShare(engine, { ...offer, share: his.share }, asCaller)).toEqual(forged); // alice's signature, his share
  const toHim = makeShare(engine, bob, secret(12), {
    call: CALL,
    role: "callee",
    peer: alice.fingerprint,
    answering: { ...offer, share: his.share },
  });
  expect(verifyShare(engine, toHim, asCallee)).toEqual(forged); // bob answered another share than alice sent
});

test("a share serves one call, one role, one peer and one question", () => {
  expect(verifyShare(engine, offer, asCaller)).toEqual({ ok: true });
  expect(verifyShare(engine, answer, asCallee)).toEqual({ ok: true });
  expect(verifyShare(engine, offer, { ...asCaller, call: "d".repeat(32) })).toEqual(forged);
  expect(verifyShare(engine, offer, { ...asCaller, to: mallory.fingerprint })).toEqual(forged);
  expect(verifyShare(engine, offer, { ...asCaller, from: mallory.fingerprint })).toEqual(forged);
  expect(verifyShare(engine, offer, { ...asCaller, role: "callee", answering: answer })).toEqual(forged);
  const other = makeShare(engine, alice, secret(14), { call: CALL, role: "caller", peer: bob.fingerprint });
  expect(verifyShare(engine, answer, { ...asCallee, answering: other })).toEqual(forged);
});

test.each([
  ["a short identity", { identity: offer.identity.slice(2) }],
  ["a share that is not hexadecimal", { share: "z".repeat(64) }],
  ["an empty signature", { signature: "" }],
] as const)("%s is malformed", (_, over) => {
  expect(verifyShare(engine, { ...offer, ...over } as KeyShare, asCaller)).toEqual({ ok: false, reason: "malformed" });
});

test("a share of low order gives no keys, and any other pair of shares gives other keys", () => {
  const keys = (theirs: KeyShare) =>
    deriveKeys(engine, { role: "caller", call: CALL, ephemeralSecret: secret(11), mine: offer, theirs });
  expect(keys({ ...answer, share: "0".repeat(64) })).toBeUndefined();
  expect(keys({ ...answer, share: "" })).toBeUndefined();
  expect(keys({ ...answer, signature: "0".repeat(128) })?.send).not.toEqual(keys(answer)?.send);
});

test("role and answered share that do not fit together are the caller's mistake", () => {
  expect(() => makeShare(engine, bob, secret(12), { call: CALL, role: "callee", peer: alice.fingerprint })).toThrow(TypeError);
  expect(() =>
    makeShare(engine, alice, secret(11), { call: CALL, role: "caller", peer: bob.fingerprint, answering: answer }),
  ).toThrow(TypeError);
});

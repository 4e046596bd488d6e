import { expect, it } from "vitest";
import { type CallProof, verifyCallProof } from "./call-proof.ts";
import { type Identity, identityFromSecret } from "./identity.ts";
import { makeShare } from "./key-agreement.ts";
import { nobleCrypto } from "./noble-crypto.ts";

const identity = (value: number): Identity => identityFromSecret(nobleCrypto, new Uint8Array(32).fill(value));
const [alice, bob, mallory] = [identity(1), identity(2), identity(3)] as const;
const CALL = "0123456789abcdef0123456789abcdef";
const OTHER = "f".repeat(32);

function proof(from: Identity, to: Identity, call = CALL): CallProof {
  const secret = new Uint8Array(32).fill(7);
  const caller = makeShare(nobleCrypto, from, secret, { call, role: "caller", peer: to.fingerprint });
  return {
    caller,
    callee: makeShare(nobleCrypto, to, secret, { call, role: "callee", peer: from.fingerprint, answering: caller }),
  };
}
const judge = (one: CallProof, caller: Identity, callee: Identity, call = CALL): boolean =>
  verifyCallProof(nobleCrypto, one, { call, caller: caller.fingerprint, callee: callee.fingerprint }).ok;

it("both shares prove the call to anybody, and only that call between those two in those roles", () => {
  expect(judge(proof(alice, bob), alice, bob)).toBe(true);
  expect(judge(proof(alice, bob), alice, bob, OTHER)).toBe(false);
  expect(judge(proof(alice, bob), bob, alice)).toBe(false);
  expect(judge(proof(alice, bob), mallory, bob)).toBe(false);
  expect(judge(proof(alice, bob), alice, mallory)).toBe(false);
});

it("shares of two calls, or one's own in place of the peer's, prove nothing", () => {
  const [ours, another, forged] = [proof(alice, bob), proof(alice, bob, OTHER), proof(alice, mallory)];
  expect(judge({ caller: ours.caller, callee: another.callee }, alice, bob)).toBe(false);
  expect(judge({ caller: ours.caller, callee: forged.callee }, alice, bob)).toBe(false);
  expect(judge({ caller: ours.caller, callee: ours.caller }, alice, bob)).toBe(false);
  expect(judge({ caller: { ...ours.caller, share: "00".repeat(32) }, callee: ours.callee }, alice, bob)).toBe(false);
});

/**
 * Who a party is: a BIP39 seed phrase gives one Ed25519 signing key and one X25519 key; the fingerprint is a short hash of the
 * public signing key. Sources: BIP-39 (phrase to 64-octet seed), RFC 5869 (seed to keys). No passphrase is used.
 */
import { entropyToMnemonic, mnemonicToSeedSync, validateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { toHex } from "../base/cursor.ts";
import type { CryptoEngine } from "./crypto.ts";
import { wantOctets } from "./octets.ts";
import { textOctets, transcript } from "./transcript.ts";

/** A party's own keys, 32 octets each. Secrets never leave the process and never enter the log. */
export type Identity = {
  /** 32 lowercase hexadecimal digits: what others call this party. */
  readonly fingerprint: string;
  readonly signingSecret: Uint8Array;
  readonly signingPublic: Uint8Array;
  readonly agreementSecret: Uint8Array;
  readonly agreementPublic: Uint8Array;
};

export type IdentityResult =
  | { readonly ok: true; readonly identity: Identity }
  /** `reason` is for the person who typed the phrase; it never contains a valid word of it. */
  | { readonly ok: false; readonly reason: string };

const SIGNING = textOctets("midcall identity v1 ed25519");
const AGREEMENT = textOctets("midcall identity v1 x25519");
const FINGERPRINT = "midcall fingerprint v1";
/** chosen: 128 bits, past any search for a second key with the same one, and short enough to read aloud. */
const FINGERPRINT_BYTES = 16;
/** Phrase lengths of BIP-39. */
const LENGTHS: readonly number[] = [12, 15, 18, 21, 24];
const WORDS: ReadonlySet<string> = new Set(wordlist);
const NO_SALT = new Uint8Array(0);

/** Twelve English words from 16 octets of the caller's entropy; RangeError for another length. */
export function makeMnemonic(entropy: Uint8Array): string {
  wantOctets("entropy", entropy, 16);
  return entropyToMnemonic(entropy, wordlist);
}

/** The identity of a phrase; case and spacing do not matter. Slow on purpose (PBKDF2, 2048 rounds: tens of milliseconds). */
export function identityFromMnemonic(engine: CryptoEngine, words: string): IdentityResult {
  const list = words.trim().toLowerCase().split(/\s+/);
  if (!LENGTHS.includes(list.length)) return { ok: false, reason: `want ${LENGTHS.join(", ")} words, got ${list.length}` };
  const unknown = list.findIndex((word) => !WORDS.has(word));
  if (unknown !== -1) {
    const word = JSON.stringify((list[unknown] as string).slice(0, 20));
    return { ok: false, reason: `word ${unknown + 1}, ${word}, is not in the BIP-39 English list` };
  }
  const phrase = list.join(" ");
  if (!validateMnemonic(phrase, wordlist))
    return { ok: false, reason: "the checksum does not match: a word is wrong or out of order" };
  return { ok: true, identity: identityOf(engine, mnemonicToSeedSync(phrase)) };
}

/** The identity of a 32-octet secret, without the slow step: for simulated parties. RangeError for another length. */
export function identityFromSecret(engine: CryptoEngine, secret: Uint8Array): Identity {
  wantOctets("secret", secret, 32);
  return identityOf(engine, secret);
}

/** First 16 octets of SHA-256 over the domain and the key, as lowercase hex. `signingPublic` has 32 octets, else RangeError. */
export function fingerprintOf(engine: CryptoEngine, signingPublic: Uint8Array): string {
  wantOctets("signingPublic", signingPublic, 32);
  return toHex(engine.hash(transcript(FINGERPRINT, signingPublic)).subarray(0, FINGERPRINT_BYTES));
}

function identityOf(engine: CryptoEngine, seed: Uint8Array): Identity {
  const signingSecret = engine.derive(seed, NO_SALT, SIGNING, 32);
  const agreementSecret = engine.derive(seed, NO_SALT, AGREEMENT, 32);
  const signingPublic = engine.signingPublic(signingSecret);
  return {
    fingerprint: fingerprintOf(engine, signingPublic),
    signingSecret,
    signingPublic,
    agreementSecret,
    agreementPublic: engine.agreementPublic(agreementSecret),
  };
}

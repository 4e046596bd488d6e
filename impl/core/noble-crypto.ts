/**
 * The crypto engine in pure JavaScript: @noble/ciphers, @noble/curves and @noble/hashes (audited, MIT). It runs in a browser and in
 * virtual time, and gives the same bytes as node:crypto. Ed25519 is verified by the strict rules of RFC 8032 (canonical, not small-order points).
 */
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Cipher, type CryptoEngine, TAG_BYTES } from "./crypto.ts";
import { wantOctets } from "./octets.ts";

/** Pure JavaScript, mode `real`. Wrong key, nonce and secret lengths throw RangeError. */
export const nobleCrypto: CryptoEngine = {
  name: "noble",
  mode: "real",
  cipher(key: Uint8Array): Cipher {
    wantOctets("key", key, 32);
    const owned = key.slice();
    return {
      seal(nonce, associated, plaintext) {
        wantOctets("nonce", nonce, 12);
        return chacha20poly1305(owned, nonce, associated).encrypt(plaintext);
      },
      open(nonce, associated, sealed) {
        wantOctets("nonce", nonce, 12);
        if (sealed.length < TAG_BYTES) return undefined;
        return attempt(() => chacha20poly1305(owned, nonce, associated).decrypt(sealed));
      },
    };
  },
  signingPublic(secret) {
    wantOctets("secret", secret, 32);
    return ed25519.getPublicKey(secret);
  },
  sign(secret, message) {
    wantOctets("secret", secret, 32);
    return ed25519.sign(message, secret);
  },
  verify(publicKey, message, signature) {
    if (publicKey.length !== 32 || signature.length !== 64) return false;
    return attempt(() => ed25519.verify(signature, message, publicKey, { zip215: false })) ?? false;
  },
  agreementPublic(secret) {
    wantOctets("secret", secret, 32);
    return x25519.getPublicKey(secret);
  },
  agree(secret, peerPublic) {
    wantOctets("secret", secret, 32);
    if (peerPublic.length !== 32) return undefined;
    return attempt(() => x25519.getSharedSecret(secret, peerPublic));
  },
  hash: (message) => sha256(message),
  derive: (secret, salt, info, length) => hkdf(sha256, secret, salt, info, length),
};

/** The library reports bad peer input by throwing; the contract reports it as undefined. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

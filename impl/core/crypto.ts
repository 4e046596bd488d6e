/**
 * The cryptography a party needs, behind one contract so that drivers choose the engine: noble (pure, runs anywhere),
 * node:crypto (faster, same bytes), or the simulator's null engine. Synchronous on purpose: WebCrypto's completion order is not reproducible.
 */

/** ChaCha20-Poly1305 (RFC 8439) under one 32-octet key. Nonces are 12 octets and never repeat: the caller's duty. */
export type Cipher = {
  /** Ciphertext followed by the 16-octet tag. */
  seal(nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** Undefined when the tag does not verify or the input is shorter than a tag. Never throws on peer input. */
  open(nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
};

export type CryptoEngine = {
  readonly name: string;
  readonly mode: "real" | "null";
  cipher(key: Uint8Array): Cipher;
  /** Ed25519 (RFC 8032): public key (32 octets) of a 32-octet secret. */
  signingPublic(secret: Uint8Array): Uint8Array;
  /** Ed25519 signature, 64 octets. */
  sign(secret: Uint8Array, message: Uint8Array): Uint8Array;
  /** False for anything malformed; never throws. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** X25519 (RFC 7748): public key of a 32-octet secret. */
  agreementPublic(secret: Uint8Array): Uint8Array;
  /** X25519 shared secret, 32 octets; undefined for a malformed or low-order public key. */
  agree(secret: Uint8Array, peerPublic: Uint8Array): Uint8Array | undefined;
  /** SHA-256. */
  hash(message: Uint8Array): Uint8Array;
  /** HKDF-SHA256 (RFC 5869), `length` octets. */
  derive(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array;
};

/** Octets of an AEAD tag. */
export const TAG_BYTES = 16;

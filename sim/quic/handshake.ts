/**
 * The TLS handshake as the model plays it: the client's hello, the server's flight of one datagram, the client's Finished,
 * the server's HANDSHAKE_DONE (RFC 9001 section 4, RFC 9000 section 7). Parts are reliable frames; loss and probing are recovery's affair.
 */
import type { Micros } from "../../impl/base/units.ts";
import type { Connection, Surroundings } from "./connection-state.ts";
import { APPLICATION, type CryptoFrame, HANDSHAKE, INITIAL, type ReliableFrame, type SpaceIndex } from "./packet.ts";
import { closeSpace } from "./recovery.ts";

/** Octets of a ClientHello with X25519, ALPN and transport parameters. chosen: what BoringSSL sends, to the nearest 10. */
const CLIENT_HELLO = 280;
/** ServerHello with X25519: 4 + 2 + 32 + 1 + 32 + 2 + 1 + 2 + 46 (RFC 8446 section 4.1.3). */
const SERVER_HELLO = 122;
/** EncryptedExtensions, Certificate with one P-256 key, CertificateVerify, Finished. chosen: with it the flight fills one datagram, as seen from quiche. */
const SERVER_FLIGHT = 700;
/** Finished with SHA-256: 4 + 32 (RFC 8446 section 4.4.4). */
const CLIENT_FINISHED = 36;
/** The server's hello and the rest of its flight, a bit each. */
const WHOLE_FLIGHT = 0b11;

/** Puts the first part of this side's handshake in line. */
export function beginHandshake(c: Connection): void {
  const { spaces } = c.recovery;
  if (c.client) {
    offer(c, INITIAL, { type: "crypto", length: CLIENT_HELLO, greeting: undefined, idleTimeout: c.idleTimeout });
    return;
  }
  spaces[HANDSHAKE].open = true;
  offer(c, INITIAL, { type: "crypto", length: SERVER_HELLO, greeting: undefined, idleTimeout: undefined });
  offer(c, HANDSHAKE, { type: "crypto", length: SERVER_FLIGHT, greeting: c.greeting, idleTimeout: undefined });
}

/** Takes a part of the peer's handshake. False when the client sees a certificate it did not pin. */
export function takeCrypto(c: Connection, around: Surroundings, space: SpaceIndex, frame: CryptoFrame, now: number): boolean {
  if (c.state !== "handshaking") return true;
  if (!c.client) {
    if (space === INITIAL) c.idleTimeout = Math.min(c.idleTimeout, frame.idleTimeout ?? c.idleTimeout);
    else completeServer(c, around, now);
    return true;
  }
  c.partsSeen |= 1 << space;
  if (space === INITIAL) c.recovery.spaces[HANDSHAKE].open = true;
  if (frame.greeting !== undefined) c.greeting = frame.greeting;
  const greeting = c.greeting;
  if (c.partsSeen !== WHOLE_FLIGHT || greeting === undefined) return true;
  if (greeting.fingerprint !== c.pin) return false;
  offer(c, HANDSHAKE, { type: "crypto", length: CLIENT_FINISHED, greeting: undefined, idleTimeout: undefined });
  c.idleTimeout = Math.min(c.idleTimeout, greeting.idleTimeout); // the smaller of both (RFC 9000 section 10.1)
  around.watchToken(c, greeting.resetToken);
  connect(c, around, now, greeting.fingerprint);
  return true;
}

/** The client learns that the server has its Finished: the handshake is confirmed (RFC 9001 section 4.1.2). */
export function confirm(c: Connection): void {
  c.recovery.confirmed = true;
  c.recovery.peerValidated = true;
  closeSpace(c.recovery, c.recovery.spaces[HANDSHAKE]);
}

function completeServer(c: Connection, around: Surroundings, now: number): void {
  around.accept(c);
  offer(c, APPLICATION, { type: "handshake-done" });
  confirm(c);
  connect(c, around, now, "");
}

function connect(c: Connection, around: Surroundings, now: number, fingerprint: string): void {
  c.state = "connected";
  c.recovery.spaces[APPLICATION].open = true;
  c.heardAt = now;
  const rtt = c.recovery.roundTrip.smoothed as Micros;
  around.emit(c.session, { type: "connected", rtt, handshake: (now - c.startedAt) as Micros, fingerprint });
}

function offer(c: Connection, space: SpaceIndex, frame: ReliableFrame): void {
  c.recovery.spaces[space].resend.push(frame);
  c.recovery.spaces[space].unacked.add(frame);
}

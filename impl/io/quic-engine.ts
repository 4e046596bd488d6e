/**
 * The QUIC engine and its settings: Cloudflare quiche through its native binding, sans-IO. One configuration for dialling and one for
 * accepting; everything a session needs beyond impl/core/session.ts is chosen here.
 */
import { quiche } from "@matrixai/quic/native/index.js";
import type { Config, Connection, Host } from "@matrixai/quic/native/types.js";
import { MAX_MESSAGE_BYTES, type SessionConfig } from "../core/session.ts";
import type { Certificate } from "./certificate.ts";

export type { Config as EngineConfig, Connection as EngineConnection, Host };
export { quiche };

/** RFC 7301 protocol name of midcall's sessions. */
export const PROTOCOL = "midcall/1";
/** The message stream: the first one a client opens (RFC 9000 section 2.1). */
export const MESSAGE_STREAM = 0;
/** Datagrams that wait for the congestion window; the oldest make room for the newest. chosen: 16 x 20 ms of voice, older is useless. */
export const DATAGRAM_SEND_QUEUE = 16;
/** Datagrams read from the wire and not yet from the engine. chosen: more than one loop turn of one session brings. */
const DATAGRAM_RECEIVE_QUEUE = 1_024;
/** RFC 9000 section 14: passes everywhere, never needs path MTU discovery. */
const PACKET_BYTES = 1_200;
/** RFC 9000 section 18.2. chosen: an Ethernet frame. */
const LARGEST_RECEIVED_PACKET = 1_472;
/**
 * Addresses a peer may have had during one session. The engine (quiche 0.18) takes its connection ID limit (RFC 9000 section 18.2) for
 * the number of paths as well and forgets none, so no spare IDs are issued: a peer whose address changed is answered with the ID in use,
 * as RFC 9000 section 9.5 allows. chosen: a session lives through 62 rebindings, then it is closed so that the peer dials anew.
 */
export const LARGEST_PATHS = 64;
/** Flow control windows. chosen: a few messages of the largest size. */
const WINDOW_BYTES = 8 * MAX_MESSAGE_BYTES;

/** `certificate` is given for accepting only. A connection's reset token is set on the result just before it is accepted. */
export function engineConfig(session: SessionConfig, certificate?: Certificate): Config {
  const pem = (text: string): Uint8Array[] => [new TextEncoder().encode(text)];
  const config =
    certificate === undefined
      ? quiche.Config.withBoringSslCtx(false, false)
      : quiche.Config.withBoringSslCtx(false, false, null, pem(certificate.keyPem), pem(certificate.certificatePem));
  config.setApplicationProtos([PROTOCOL]);
  config.setMaxIdleTimeout(Math.round(session.idleTimeout / 1_000));
  config.setMaxSendUdpPayloadSize(PACKET_BYTES);
  config.setMaxRecvUdpPayloadSize(LARGEST_RECEIVED_PACKET);
  config.setInitialMaxData(WINDOW_BYTES);
  config.setInitialMaxStreamDataBidiLocal(WINDOW_BYTES);
  config.setInitialMaxStreamDataBidiRemote(WINDOW_BYTES);
  config.setInitialMaxStreamsBidi(certificate === undefined ? 0 : 1);
  config.setInitialMaxStreamsUni(0);
  config.setActiveConnectionIdLimit(LARGEST_PATHS);
  config.setDisableActiveMigration(false);
  config.enableDgram(true, DATAGRAM_RECEIVE_QUEUE, DATAGRAM_SEND_QUEUE);
  // Packets leave at once whatever time the engine stamps on them; but without its pacer quiche 0.18 takes round trip samples from
  // a stale send time once a packet is lost, and its estimate then grows by a second every second.
  config.enablePacing(true);
  config.grease(false);
  return config;
}

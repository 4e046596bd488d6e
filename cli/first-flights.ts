/** First packets of QUIC handshakes that nobody means to complete: a flood's, each with connection IDs and keys of its own. */

import { DEFAULT_SESSION } from "../impl/core/session.ts";
import { newConnectionId } from "../impl/io/connection-id.ts";
import { engineConfig, type Host, quiche } from "../impl/io/quic-engine.ts";

const config = engineConfig(DEFAULT_SESSION);
const scratch = new Uint8Array(2_048);

/** The UDP payload of a client's first packet, 1200 octets (RFC 9000 section 14.1), which says nothing of where it goes. */
export function firstFlight(remote: Host): Uint8Array {
  const engine = quiche.Connection.connect(null, newConnectionId(), { host: "127.0.0.9", port: 9 }, remote, config);
  const sent = engine.send(scratch);
  return scratch.slice(0, sent?.[0] ?? 0);
}

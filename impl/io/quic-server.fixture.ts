/** A server in a thread of its own, for tests in which the client's process is busy: posts its address and pin, answers nothing. */
import { parentPort } from "node:worker_threads";
import { seconds } from "../base/units.ts";
import { makeCertificate } from "./certificate.ts";
import { monotonicClock } from "./monotonic-clock.ts";
import { openEndpoint } from "./quic-endpoint.ts";

const certificate = makeCertificate();
const endpoint = await openEndpoint({
  host: "127.0.0.1",
  port: 0,
  certificate,
  config: { handshakeTimeout: seconds(4), idleTimeout: seconds(30), keepAlive: seconds(10), silence: seconds(5) },
  listener: { accepted: () => {}, event: () => {}, packet: () => {} },
  now: monotonicClock().now,
});
parentPort?.postMessage({ address: endpoint.local, pin: certificate.fingerprint });

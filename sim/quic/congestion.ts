/**
 * The congestion window: CUBIC (RFC 9438) with the limits of RFC 9002 section 7 and proportional rate reduction (RFC 6937), in octets.
 * Left out on purpose: HyStart++, ECN, pacing, and persistent congestion, which quiche, the engine this models, does not detect either.
 */
import { MAX_UDP_PAYLOAD } from "./packet.ts";

/** min(10 packets, max(2 packets, 14720)) (RFC 9002 section 7.2). */
export const INITIAL_WINDOW: number = Math.min(10 * MAX_UDP_PAYLOAD, Math.max(2 * MAX_UDP_PAYLOAD, 14_720));
/** Two packets (RFC 9002 section 7.2): what keeps 50 small packets a second flowing under any loss. */
export const MINIMUM_WINDOW: number = 2 * MAX_UDP_PAYLOAD;
/** CUBIC's C in segments per cubic second and its decrease factor (RFC 9438 sections 4.1 and 4.6). */
const SCALE = 0.4;
const DECREASE = 0.7;
/** Additive increase of the Reno-friendly estimate: 3 (1 - beta) / (1 + beta) (RFC 9438 section 4.3). */
const RENO_INCREASE = (3 * (1 - DECREASE)) / (1 + DECREASE);

export type Congestion = {
  window: number;
  /** Slow start ends here. */
  threshold: number;
  /** Packets sent at or before this instant do not count again (RFC 9002 section 7.3.2); -1 before the first loss. */
  recoveryStart: number;
  /** W_max in octets: the window before the last reduction. */
  maximum: number;
  /** When the current growth began; -1 when it has not. */
  epoch: number;
  /** Seconds from `epoch` until the window is `maximum` again. */
  k: number;
  /** What Reno would have reached. */
  reno: number;
  /** Since the last reduction: octets in flight at it, delivered and sent since; and what may be sent beyond the window (RFC 6937 section 3). */
  flight: number;
  delivered: number;
  sent: number;
  extra: number;
};

export const startCongestion = (): Congestion => ({
  window: INITIAL_WINDOW,
  threshold: Number.POSITIVE_INFINITY,
  recoveryStart: -1,
  maximum: 0,
  epoch: -1,
  k: 0,
  reno: 0,
  flight: 0,
  delivered: 0,
  sent: 0,
  extra: 0,
});

/** Octets that may be sent now. */
export const available = (c: Congestion, inFlight: number): number => Math.max(0, c.window - inFlight) + c.extra;

/** `bytes` go out. */
export function sending(c: Congestion, bytes: number): void {
  c.sent += bytes;
  c.extra = Math.max(0, c.extra - bytes);
}

/**
 * During a reduction what is delivered makes room for something new, so that it does not come to a standstill (proportional rate
 * reduction with slow start, RFC 6937 section 3). True when the packet was sent before the reduction and does not grow the window.
 */
export function recovering(c: Congestion, bytes: number, sentAt: number, inFlight: number): boolean {
  if (sentAt > c.recoveryStart) return false;
  c.delivered += bytes;
  if (inFlight > c.threshold) {
    c.extra = c.flight > 0 ? Math.max(0, Math.ceil((c.delivered * c.threshold) / c.flight) - c.sent) : 0;
  } else c.extra = Math.min(Math.max(c.delivered - c.sent, bytes) + MAX_UDP_PAYLOAD, c.threshold - inFlight);
  return true;
}

/** Grows the window for `bytes` acknowledged of a packet sent since the last reduction. Not to be called while the application is the limit (section 7.8). */
export function acknowledged(c: Congestion, bytes: number, now: number, smoothed: number): void {
  if (c.window < c.threshold) {
    c.window += bytes;
    return;
  }
  if (c.epoch < 0) {
    c.epoch = now;
    c.reno = c.window;
    if (c.window < c.maximum) c.k = cubeRoot((c.maximum - c.window) / MAX_UDP_PAYLOAD / SCALE);
    else {
      c.k = 0;
      c.maximum = c.window;
    }
  }
  c.reno += (RENO_INCREASE * bytes * MAX_UDP_PAYLOAD) / c.window;
  const cubic = curve(c, now - c.epoch);
  if (cubic < c.reno) {
    c.window = Math.max(c.window, c.reno);
    return;
  }
  const target = Math.min(Math.max(curve(c, now - c.epoch + smoothed), c.window), 1.5 * c.window); // section 4.2
  c.window += ((target - c.window) * bytes) / c.window;
}

/** One congestion event for a lost packet sent at `sentAt`; a second loss of the same round trip changes nothing. */
export function lost(c: Congestion, sentAt: number, now: number, inFlight: number): void {
  if (sentAt <= c.recoveryStart) return;
  c.recoveryStart = now;
  c.maximum = c.window < c.maximum ? (c.window * (1 + DECREASE)) / 2 : c.window; // fast convergence, section 4.7
  c.window = Math.max(c.window * DECREASE, MINIMUM_WINDOW);
  c.threshold = c.window;
  c.epoch = -1;
  c.flight = inFlight;
  c.delivered = 0;
  c.sent = 0;
  c.extra = 0;
}

const curve = (c: Congestion, micros: number): number => {
  const d = micros / 1_000_000 - c.k;
  return SCALE * d * d * d * MAX_UDP_PAYLOAD + c.maximum;
};

/** Newton's method with exact IEEE operations only: `Math.cbrt` may differ between engines and a run must not. `value` >= 0. */
export function cubeRoot(value: number): number {
  if (value === 0) return 0;
  let root = Math.max(value, 1);
  for (let i = 0; i < 200; i++) {
    const next = root - (root - value / (root * root)) / 3;
    if (next >= root) return root;
    root = next;
  }
  return root;
}

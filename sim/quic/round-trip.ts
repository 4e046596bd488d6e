/** The round-trip estimator and probe timeout of RFC 9002 sections 5 and 6.2. Times are whole microseconds. */

/** Initial RTT before any sample: 333 ms (RFC 9002 section 6.2.2). */
export const INITIAL_RTT = 333_000;
/** Timer granularity: 1 ms (section 6.1.2). */
export const GRANULARITY = 1_000;
/** max_ack_delay of both sides: 25 ms, the default of RFC 9000 section 18.2. */
export const MAX_ACK_DELAY = 25_000;

export type RoundTrip = {
  /** True once a sample was taken; the other numbers are guesses before. */
  sampled: boolean;
  latest: number;
  minimum: number;
  smoothed: number;
  variation: number;
};

export const startRoundTrip = (): RoundTrip => ({
  sampled: false,
  latest: 0,
  minimum: 0,
  smoothed: INITIAL_RTT,
  variation: INITIAL_RTT / 2,
});

/** Takes one sample; `ackDelay` is what the peer reported and counts at most `MAX_ACK_DELAY` (section 5.3). */
export function addSample(r: RoundTrip, latest: number, ackDelay: number): void {
  r.latest = latest;
  if (!r.sampled) {
    r.sampled = true;
    r.minimum = latest;
    r.smoothed = latest;
    r.variation = Math.round(latest / 2);
    return;
  }
  if (latest < r.minimum) r.minimum = latest;
  const held = Math.min(ackDelay, MAX_ACK_DELAY);
  const adjusted = latest >= r.minimum + held ? latest - held : latest;
  r.variation = Math.round((3 * r.variation + Math.abs(r.smoothed - adjusted)) / 4);
  r.smoothed = Math.round((7 * r.smoothed + adjusted) / 8);
}

/** Probe timeout without backoff: smoothed + max(4 * variation, granularity), plus max_ack_delay for application data (section 6.2.1). */
export const probeTimeout = (r: RoundTrip, application: boolean): number =>
  r.smoothed + Math.max(4 * r.variation, GRANULARITY) + (application ? MAX_ACK_DELAY : 0);

/** Time threshold of loss: 9/8 of the larger of smoothed and latest, at least the granularity (section 6.1.2). */
export const lossDelay = (r: RoundTrip): number => Math.max(Math.ceil((9 * Math.max(r.smoothed, r.latest)) / 8), GRANULARITY);

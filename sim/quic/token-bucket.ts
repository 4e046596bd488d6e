/** A token bucket in virtual time: `perSecond` takes a second on average, `burst` at once. */

export type TokenBucket = {
  /** Whether there is a token at `now` (microseconds, never going back); takes it. */
  take(now: number): boolean;
};

export function tokenBucket(perSecond: number, burst: number, start: number): TokenBucket {
  let tokens = burst;
  let filledAt = start;
  return {
    take: (now) => {
      tokens = Math.min(burst, tokens + ((now - filledAt) * perSecond) / 1_000_000);
      filledAt = now;
      if (tokens < 1) return false;
      tokens--;
      return true;
    },
  };
}

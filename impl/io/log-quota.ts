/**
 * How much of what peers cause goes into the event log of a real process: a flood of messages must not fill the disk. Token buckets (RFC 2697's
 * committed rate and burst), one for each session's messages, one for every other kind of record, one for all together. What a party
 * says of its own accord at its own pace (media, statistics, traffic, its life) is never left out, and refusals are thinned where they are counted.
 */
import type { Saying } from "../base/record.ts";
import type { Instant } from "../base/units.ts";

export type LogQuota = {
  /** False when the record is to be left out; it is counted then. */
  allows(saying: Saying): boolean;
  /** What was left out since the last call, a sentence for each kind or session. Called about once a second. */
  leftOut(): readonly string[];
};

type Rate = { readonly perSecond: number; readonly burst: number };
/** chosen: a call is set up with ten messages a side; a client whose network comes and goes without rest makes a few a second. */
const SESSION: Rate = { perSecond: 20, burst: 200 };
/** chosen: half of what there is for all, so that one kind leaves room for the others. */
const KIND: Rate = { perSecond: 100, burst: 5_000 };
/** chosen: a few hundred clients that come back after their relay's restart are written in full; a flood fills 2 GB a day at most. */
const ALL: Rate = { perSecond: 200, burst: 10_000 };

/** Records that a peer can cause as fast as it sends. */
const CAUSED_BY_PEERS: ReadonlySet<Saying["ev"]> = new Set(["signal", "session", "call", "generation", "path", "registration"]);

type Bucket = { readonly rate: Rate; level: number; at: number; left: number };

export function logQuota(now: () => Instant): LogQuota {
  const full = (rate: Rate): Bucket => ({ rate, level: rate.burst, at: now(), left: 0 });
  const all = full(ALL);
  const buckets = new Map<string, Bucket>();
  const refill = (bucket: Bucket): void => {
    const at = now();
    bucket.level = Math.min(bucket.rate.burst, bucket.level + ((at - bucket.at) / 1e6) * bucket.rate.perSecond);
    bucket.at = at;
  };
  return {
    allows(saying) {
      if (!CAUSED_BY_PEERS.has(saying.ev)) return true;
      const key = saying.ev === "signal" ? `signal records of session ${saying.session}` : `${saying.ev} records`;
      const bucket = buckets.get(key) ?? full(saying.ev === "signal" ? SESSION : KIND);
      buckets.set(key, bucket);
      refill(bucket);
      refill(all);
      if (bucket.level < 1 || all.level < 1) {
        bucket.left++;
        return false;
      }
      bucket.level--;
      all.level--;
      return true;
    },
    leftOut() {
      const texts: string[] = [];
      for (const [key, bucket] of buckets) {
        if (bucket.left > 0) texts.push(`${bucket.left} ${key} left out of the log`);
        bucket.left = 0;
        refill(bucket);
        if (bucket.level === bucket.rate.burst) buckets.delete(key); // as good as new: sessions of long ago cost nothing
      }
      return texts;
    },
  };
}

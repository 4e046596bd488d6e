/** Causes of a voice that is worse than its way: who was told of a queue that no packet waited in. */
import type { CauseRule } from "./cause.ts";
import { culprit, detailOf } from "./cause-rules.ts";
import { percentile } from "./statistic.ts";

/** Packets looked at before and after. chosen: two seconds. */
const PACKETS = 100;

/** A sender that speaks in a lower tier though its packets take as long as they did: their times, or the reading of them, are wrong. */
export const tierCause: CauseRule = (trial) => {
  const told = /(\w\S*) speaks \w+.*?\(queue of (\d+) ms/.exec(detailOf(trial, "speaks-in"));
  const [, from = "", queue = "0"] = told ?? [];
  const { records, media } = trial.evidence;
  const lower = records.findLast((one) => one.ev === "tier" && one.who === from && one.reason.startsWith("queue of"));
  const stream = media.streams.find((one) => one.from === from);
  if (told === null || lower === undefined || stream === undefined) return undefined;
  const transits = stream.openedAt.flatMap((at, seq) => {
    const sent = stream.sentAt[seq];
    return at === undefined || sent === undefined || sent > lower.t ? [] : [(at - sent) / 1_000];
  });
  const median = (some: readonly number[]): number => percentile(some, 0.5) ?? 0;
  const longer = median(transits.slice(-PACKETS)) - median(transits.slice(0, PACKETS));
  if (transits.length < PACKETS || longer > Number(queue) / 2) return undefined;
  return culprit(
    "playout",
    from,
    `gives its voice times that are not those of its sending: its peer found a queue of ${queue} ms where packets took ${Math.round(longer)} ms longer than at first`,
  );
};

/** What refusals tell: who could not read, open or take what another party said, and whose doing that is. */
import type { LogRecord, RefusedRecord } from "../impl/base/record.ts";
import type { CauseRule, Trial } from "./cause.ts";
import { culprit } from "./cause-rules.ts";
import type { Culprit } from "./result.ts";

type Refusal = LogRecord & RefusedRecord;

/** How often `who` refused media for one of `reasons`, as it counted itself. */
export function refusals(
  { evidence }: Trial,
  who: string,
  reasons: readonly RefusedRecord["reason"][],
  what = "media packet",
): number {
  let most = 0;
  for (const one of evidence.records)
    if (one.ev === "refused" && one.who === who && reasons.includes((one as Refusal).reason) && one.what.includes(what))
      most = Math.max(most, one.count);
  return most;
}

/** More than luck: what a reordering network leaves behind is less. chosen. */
export const MANY = 8;

/** Input refused by `who` as not to be understood, which it never took for a message at all: its parser's doing. */
export function misread({ evidence }: Trial, who: string, type?: string): Culprit | undefined {
  const refusal = evidence.records.find(
    (one) =>
      one.ev === "refused" &&
      one.who === who &&
      (one.reason === "malformed" || one.reason === "oversized" || one.reason === "unknown-type") &&
      (type === undefined || one.what.includes(type)) &&
      !evidence.records.some(
        (other) => other.ev === "signal" && other.who === who && other.dir === "received" && other.type === one.what,
      ),
  );
  return refusal?.ev === "refused" ? culprit("wire", who, `refused ${refusal.what} as ${refusal.reason}`) : undefined;
}

/** Packets that tell a key from a header: opened first, so the key is the right one. chosen: a second. */
const OPENED_FIRST = 50;

/** Packets that did not verify under a key that opened many before and, in between, others: what differs from packet to packet is its header. */
export function headerCause({ evidence }: Trial, from: string, to: string): Culprit | undefined {
  const [first, second] = evidence.records.filter(
    (one) => one.ev === "refused" && one.who === to && one.reason === "unauthentic" && one.what === "media packet",
  );
  const stream = evidence.media.streams.find((one) => one.from === from && one.to === to);
  if (first === undefined || second === undefined || stream === undefined) return undefined;
  const opened = (since: number, until: number): number =>
    stream.openedAt.reduce((n, at) => n + (at >= since && at < until ? 1 : 0), 0);
  return opened(0, first.t) >= OPENED_FIRST && opened(first.t, second.t) > 0
    ? culprit(
        "wire",
        to,
        `could not open some of what ${from} sent under a key that opened the others: their headers say something else`,
      )
    : undefined;
}

/** Refusals that no fault that alters packets explains, and no message that was cut short by a death. chosen. */
const AGAIN = 3;

/** Whoever again and again refuses as not to be understood what it never took for a message: before anything that may come of it. */
export const unreadCause: CauseRule = ({ evidence: { records, scenario } }) => {
  if (scenario.faults.some((one) => one.kind === "impair" && (one.link.corrupt ?? 0) > 0)) return undefined;
  const refusal = records.find(
    (one) =>
      one.ev === "refused" &&
      (one.reason === "malformed" || one.reason === "unknown-type") &&
      one.count >= AGAIN &&
      one.what !== "datagram" &&
      !records.some(
        (other) => other.ev === "signal" && other.dir === "received" && other.who === one.who && other.type === one.what,
      ),
  );
  return refusal?.ev === "refused"
    ? culprit("wire", refusal.who, `refused ${refusal.what} as ${refusal.reason} again and again`)
    : undefined;
};

/** Messages that any client may say in one breath: registering, asking for a call and its answer. chosen. */
const A_BREATH = 8;

/** The relay that refused for their number the few messages that `who` said in a span. */
export function limitedBy({ evidence: { records }, relays }: Trial, who: string, from: number, to: number): Culprit | undefined {
  const within = records.filter(({ t }) => t >= from && t <= to);
  const said = within.filter((one) => one.ev === "signal" && one.who === who && one.dir === "sent").length;
  const limit = within.find(
    (one) => one.ev === "refused" && one.reason === "limit" && one.what.startsWith("messages") && relays.includes(one.who),
  );
  return limit === undefined || said > A_BREATH
    ? undefined
    : culprit("relay", limit.who, `turned away for their number the ${said} messages that ${who} said when it was back`);
}

/** A message that `who` took for one and could make no keys of: what is malformed in it is the other party's share of them, or the reading of it. */
export function unkeyed({ evidence: { records } }: Trial, who: string): Culprit | undefined {
  const refusal = records.find(
    (one) =>
      one.ev === "refused" &&
      one.who === who &&
      one.reason === "malformed" &&
      records.some(
        (other) =>
          other.ev === "signal" &&
          other.who === who &&
          other.dir === "received" &&
          other.type === one.what &&
          other.call !== undefined,
      ),
  );
  return refusal?.ev === "refused" ? culprit("protection", who, `could make no keys of a ${refusal.what}`) : undefined;
}

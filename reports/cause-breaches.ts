/** Broken rules that say who broke them: the oracles of every run, and those of a scenario that name a party. */
import { type Books, type Clue, isAccepted } from "./cause-books.ts";
import type { OracleResult } from "./result.ts";

type Blame = Pick<Clue, "component" | "party"> & { readonly why: string };
type Judge = (books: Books, party: string, detail: string) => Blame;

const own =
  (why: string): Judge =>
  (books, party) => ({ component: books.side(party), party, why });

/** What clients ask of a relay. */
const REQUESTS = /sent a (CallResume|DirectCallOffer|CandidateUpdate)\b/;

const JUDGES: ReadonlyMap<string, Judge> = new Map<string, Judge>([
  ["no-nonce-reuse", keys("used a packet number twice under one key")],
  ["no-double-decrypt", keys("opened a packet twice")],
  ["packets-in-their-call", strays],
  ["no-stale-generation", own("got the order of candidate generations wrong")],
  ["generations-fresh", own("got the order of candidate generations wrong")],
  ["one-supervisor", own("had two reconnections going at once")],
  ["reconnects-in-order", own("did something out of its order")],
  ["calls-end-once", endings],
  ["as-told", own("did not do as it was told")],
  ["displaced", own("did not do as it was told")],
  ["everything-freed", own("never let go of what it held")],
  [
    "addresses-kept-private",
    (books, party, detail) => {
      // What a client receives, the relay has sent.
      const by = / received a /.test(detail) ? (books.relays[0] ?? party) : party;
      return { component: books.side(by), party: by, why: "told an address in a private call" };
    },
  ],
  [
    "strangers-refused",
    (books, party, detail) =>
      REQUESTS.test(detail)
        ? { component: "client", party, why: "mixed up the order of what it says" }
        : { component: books.side(party), party, why: "served somebody who had not registered" },
  ],
]);

export const breachClues = (books: Books): readonly Clue[] =>
  books.oracles.flatMap((one) => {
    const party = partyOf(books, one);
    const judge = one.verdict === "broken" ? JUDGES.get(one.name) : undefined;
    if (judge === undefined || party === undefined) return [];
    const { why, ...blame } = judge(books, party, one.detail);
    return [{ ...blame, at: (one.atMs ?? books.evidence.runEnd / 1_000) * 1_000, weight: "firm", says: `${why}: ${one.detail}` }];
  });

/** The party that a detail begins with. */
export const partyOf = ({ evidence: { scenario } }: Books, { detail }: OracleResult): string | undefined =>
  Object.keys(scenario.parties).find((party) => detail.startsWith(`${party} `));

/** Who hangs up as refused a call that was accepted has misread the answer; whoever goes on with it has not. */
function endings(books: Books, party: string, detail: string): Blame {
  const misread = books.evidence.records.find(
    (one) =>
      one.ev === "call" &&
      one.state === "ended" &&
      one.reason === "rejected" &&
      isAccepted(books.evidence, one.call) &&
      !books.isRelay(one.who),
  );
  return misread === undefined
    ? own("did something out of its order")(books, party, detail)
    : { component: "client", party: misread.who, why: "took an answer that accepts its call for a refusal" };
}

function keys(why: string): Judge {
  return ({ evidence: { calls } }, party) => {
    for (const { parties } of calls)
      for (const [who, steps] of parties)
        if (steps.filter(({ state }) => state === "active").length > 1)
          return {
            component: "client",
            party: who,
            why: "set its call up more than once, each time with its packet numbers from the first",
          };
    return { component: "protection", party, why };
  };
}

function strays({ evidence }: Books, receiver: string): Blame {
  const { media, records } = evidence;
  const [stray] = media.strays;
  if (stray?.why.includes("played")) return { component: "playout", party: receiver, why: "played what never came" };
  const wrote = unwrittenBy(evidence, receiver);
  if (wrote !== undefined)
    return { component: "client", party: wrote, why: "never wrote down the last of what it sent, as a call that ends does" };
  // Who sends on after its own end of the call writes no more of it: a sender's leftover, not a matter of keys.
  const over = records.find(
    (one) => one.ev === "call" && one.state === "ended" && one.who !== receiver && one.t <= (stray?.at ?? 0),
  );
  return over === undefined
    ? { component: "protection", party: receiver, why: "opened packets that are not the other party's" }
    : { component: "client", party: over.who, why: "went on sending after its call was over" };
}

/** Who sent `receiver` packets that follow, without exception, on the last one that it wrote down. */
function unwrittenBy({ media, records, calls }: Books["evidence"], receiver: string): string | undefined {
  const known = new Set(media.streams.map(({ key }) => key));
  const received = records.flatMap((one) => (one.ev === "media-received" && one.who === receiver ? [one] : []));
  const unknown = received.find(({ key }) => !known.has(key));
  if (unknown !== undefined) {
    const other = [...(calls.find(({ id }) => id === unknown.call)?.parties.keys() ?? [])].find((who) => who !== receiver);
    if (!media.streams.some(({ call, from }) => call === unknown.call && from === other)) return other;
  }
  for (const { key, from, to, sentAt } of media.streams) {
    if (to !== receiver) continue;
    const seqs = received.flatMap((one) =>
      one.key === key ? Array.from({ length: one.n }, (_, i) => one.seq + i).filter((seq) => sentAt[seq] === undefined) : [],
    );
    if (seqs.length > 0 && Math.min(...seqs) >= sentAt.length) return from;
  }
  return undefined;
}

/**
 * Where to look first: which part of which party a broken run points to, and why, in one sentence. A pure function of the log, and of nothing else: who has a bug in their own
 * code has no sound run to compare with. It keeps the books of what each part owed by the protocol and whether it delivered (cause-duties, cause-clients), of what parties refused of
 * each other (cause-complaints) and of what became of voice from hand to hand (cause-voice). The books of sound code balance in every run, which a test holds them to; so
 * the first entry that does not is where a bug shows first, and what comes later may have come of it. Where all balance, the symptom says whose choice it was (cause-symptoms).
 * It may be wrong, and `bench cause` says how often.
 */
import { type Books, booksOf, type Clue } from "./cause-books.ts";
import { breachClues } from "./cause-breaches.ts";
import { clientClues } from "./cause-clients.ts";
import { complaintClues } from "./cause-complaints.ts";
import { contentClues } from "./cause-contents.ts";
import { dutyClues } from "./cause-duties.ts";
import { limitClues, unreachable } from "./cause-limits.ts";
import { symptomClues } from "./cause-symptoms.ts";
import { voiceClues } from "./cause-voice.ts";
import type { Evidence } from "./measure.ts";
import type { Component, Culprit, OracleResult, Verdict } from "./result.ts";

/** The books that balance in every run of sound code. */
export const BOOKS: readonly ((books: Books) => readonly Clue[])[] = [
  complaintClues,
  contentClues,
  dutyClues,
  clientClues,
  breachClues,
  voiceClues,
];

const WEIGHTS: readonly Clue["weight"][] = ["firm", "amount", "taste"];

/** `the relay r1`, `alice's client`, `alice's media protection`. */
const nameOf = (component: Component, party: string): string =>
  ({
    relay: `the relay ${party}`,
    client: `${party}'s client`,
    protection: `${party}'s media protection`,
    playout: `${party}'s playout`,
    wire: `${party}'s message parser`,
    scenario: "every part",
  })[component];

/** Every book balances: limits that ask for more than the mechanism can do are to blame where nothing else broke; of what else did, `doubts`, and without any the symptom. */
function lesser(books: Books, doubts: readonly Clue[]): readonly Clue[] {
  const beyond = unreachable(books);
  const left = books.oracles.filter((one) => one.verdict === "broken" && !beyond.has(one));
  if (left.length === 0) return limitClues(books);
  return doubts.length > 0 ? doubts : symptomClues({ ...books, oracles: left });
}

/** Undefined when nothing is broken, or when nothing points anywhere. */
export function causeOf(evidence: Evidence, verdict: Verdict, oracles: readonly OracleResult[]): Culprit | undefined {
  if (verdict !== "broken") return undefined;
  const books = booksOf(evidence, oracles);
  const clues = BOOKS.flatMap((rule) => rule(books));
  const all = clues.some(({ weight }) => weight !== "taste") ? clues : lesser(books, clues);
  const [first] = all.toSorted((a, b) => WEIGHTS.indexOf(a.weight) - WEIGHTS.indexOf(b.weight) || a.at - b.at);
  if (first === undefined) return undefined;
  const { component, party, says } = first;
  const sentence = `${nameOf(component, party)} ${says}.`;
  return { component, party, sentence: `${sentence[0]?.toUpperCase()}${sentence.slice(1)}` };
}

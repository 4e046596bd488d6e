/** Ours beside what Chromium's NetEq made of the same lists (reports/golden/chromium-neteq.json), in virtual time; and how two such figures are compared. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { LOSS_PRICE } from "../impl/core/neteq/delay-target.ts";
import { loadOpusWasm } from "../impl/io/opus-wasm.ts";
import { readWav } from "../impl/io/wav.ts";
import { chosenLines, compared, meanOf, type NeteqFigure, neteqTable, oursOver } from "./bench-neteq.ts";
import { isHeldUp, Lateness } from "./lateness.ts";
import { concealedAt, delayAt } from "./neteq-frontier.ts";
import { OurCalls } from "./neteq-ours.ts";
import { COMMITTED, merged, type NeteqRecord, readRecord, recordText } from "./neteq-record.ts";
import { LINKS, type Line, MODES, trialOf } from "./neteq-trial.ts";
import { speechPath } from "./speech.ts";

const record = readRecord(COMMITTED);
const pcm = await readWav(speechPath("speech-a"));
const engine = await loadOpusWasm({ encoders: 2, decoders: 2 });

const cases = MODES.flatMap((mode) => LINKS.map((link) => [`${link.name}, ${mode.name}`, link, mode] as const));

test.each(cases)(
  "%s: at NetEq's mean delay no more than by NetEq is concealed, and at its concealment the delay is no longer",
  async (_, link, mode) => {
    const neteq = record.figures.filter((one) => one.link === link.name && one.mode === mode.name);
    expect(neteq.length).toBeGreaterThanOrEqual(5);
    const lines: Line[] = neteq.map(({ seed }) => ({ link, mode, seed }));
    const theirs = meanOf(neteq);
    let figure: NeteqFigure = { link: link.name, mode: mode.name, lost: 0, neteq, ours: [] };
    const addPrice = async (times: number): Promise<void> => {
      const ours = [...figure.ours, ...(await oursOver(engine, pcm, lines, { prices: [times * LOSS_PRICE] }))];
      figure = { ...figure, ours };
    };
    await addPrice(1);
    const { usual } = compared(figure);
    // Where the buffer as it is does not say both, points to the side of it do.
    for (const times of usual.delayMs > theirs.delayMs ? [1 / 2, 1 / 4, 2] : [2, 4]) {
      const { concealedAtDelay, delayAtConcealed } = compared(figure);
      if ((concealedAtDelay ?? 100) > theirs.concealed || (delayAtConcealed ?? 1_000) > theirs.delayMs) await addPrice(times);
    }
    const { concealedAtDelay, delayAtConcealed } = compared(figure);
    expect(concealedAtDelay).toBeLessThanOrEqual(theirs.concealed);
    expect(delayAtConcealed).toBeLessThanOrEqual(theirs.delayMs);
    // As it is: nowhere more than a tenth of a point above, nor a delay of more than 10 ms above.
    expect(usual.concealed).toBeLessThanOrEqual(theirs.concealed + 0.1);
    expect(usual.delayMs).toBeLessThanOrEqual(theirs.delayMs + 10);
  },
);

test("without redundancy what is lost is concealed or filled with stretched speech, LBRR gives back most of it, RED-1 leaves the square and RED-2 the cube", async () => {
  const calls = new OurCalls(engine);
  const [link] = chosenLines("loss 20 %").links;
  if (link === undefined) throw new Error("there is no link with 20 % of loss");
  const heard = [];
  for (const mode of MODES) heard.push(await calls.listen(trialOf({ link, mode, seed: 1 }, pcm, 10_000_000)));
  const [none, lbrr, one, two] = heard.map(({ concealed }) => concealed);
  const { delays } = trialOf({ link, mode: MODES[0] as Line["mode"], seed: 1 }, pcm, 10_000_000);
  const lost = 100 * (delays.slice(200).filter((delay) => delay < 0).length / 500);
  expect(none).toBeLessThan(lost);
  expect(Math.abs((none ?? 0) + (heard[0]?.stretched ?? 0) - lost)).toBeLessThan(2);
  expect(lbrr).toBeLessThan(0.6 * lost);
  expect(one).toBeLessThan(lost ** 2 / 100 + 3);
  expect(two).toBeLessThan((one ?? 0) + 0.01);
});

const LINE = [
  { concealed: 1, delayMs: 40 },
  { concealed: 4, delayMs: 10 },
  { concealed: 2, delayMs: 20 },
  { concealed: 3, delayMs: 30 }, // worse in both than the one before
];

test.each([
  [5, undefined],
  [10, 4],
  [15, 3],
  [30, 1.5],
  [40, 1],
  [90, 1],
])("at %i ms of delay %s %% are concealed", (delayMs, wanted) => expect(concealedAt(LINE, delayMs)).toBe(wanted));

test.each([
  [9, 10],
  [3, 15],
  [1.5, 30],
  [1, 40],
  [0.5, undefined],
])("at %d %% concealed the delay is %s ms", (concealed, wanted) => expect(delayAt(LINE, concealed)).toBe(wanted));

/** 34 s of packets every 20 ms, each so late. */
function lateness(late: (i: number) => number): Lateness {
  const found = new Lateness();
  for (let i = 0; i < 1_700; i++) found.observe(i * 20_000 + late(i), late(i));
  return found;
}

test("the machine held a run up when more than one in twenty half seconds is later than a step of NetEq's, or once by an outage of its", () => {
  expect(isHeldUp(lateness((i) => (i % 2) * 12_000).figure)).toBe(false);
  // Three of 68 half seconds, and four.
  const stalls = (count: number) => (i: number) => (i % 100 === 50 && i < 100 * count ? 50_000 : 0);
  expect(isHeldUp(lateness(stalls(3)).figure)).toBe(false);
  expect(lateness(stalls(4)).figure).toEqual({ usualMs: 50, worstMs: 50 });
  expect(isHeldUp(lateness(stalls(4)).figure)).toBe(true);
  expect(isHeldUp(lateness((i) => (i === 700 ? 101_000 : 0)).figure)).toBe(true);
  // A clock that is 100 ppm off is no lateness.
  expect(isHeldUp(lateness((i) => 2 * i).figure)).toBe(false);
  expect(new Lateness().figure).toEqual({ usualMs: 0, worstMs: 0 });
});

test("a record is written as it is read, and later figures of a line take the place of earlier ones", () => {
  expect(recordText(record)).toBe(readFileSync(COMMITTED, "utf8"));
  const [first, second] = record.figures;
  if (first === undefined || second === undefined) throw new Error("the record is empty");
  const earlier: NeteqRecord = { ...record, figures: [first, second], heldUp: [{ ...first, delayMs: 500 }] };
  const again = { ...first, concealed: 50 };
  // The machine held up the other one: what was heard of it before still counts.
  const both = merged(earlier, { ...record, taken: "2027-01-01", figures: [again], heldUp: [{ ...second, delayMs: 500 }] });
  expect(both).toEqual({ ...record, taken: "2027-01-01", figures: [second, again], heldUp: [{ ...second, delayMs: 500 }] });
});

test("words that no line has are refused with what would be right; the table has a line for each, and tells what does not count", () => {
  expect(() => chosenLines("loss 11 %")).toThrow("want words of loss 10 %");
  expect(() => chosenLines("", "RED-3")).toThrow("want words of no FEC, LBRR, RED-1, RED-2");
  expect(chosenLines("fours", "RED")).toMatchObject({ links: [{ name: "loss 20 % in fours" }], modes: [{ red: 1 }, { red: 2 }] });
  const [one] = record.figures;
  if (one === undefined) throw new Error("the record is empty");
  const heard = [{ seed: 1, concealed: 1, stretched: 0, delayMs: 20 }];
  const table = neteqTable({
    figures: [{ link: one.link, mode: one.mode, lost: 10, neteq: [one], ours: [{ lossPriceMs: LOSS_PRICE / 1_000, heard }] }],
    heldUp: [one],
  });
  expect(table[1]).toMatch(/^loss 10 % +no FEC +1 +10\.0 .* 1\.00 +20 +1\.00 +20$/);
  expect(table.at(-1)).toContain("the machine held it up");
  expect(meanOf([...heard, { concealed: 3, delayMs: 40 }])).toEqual({ concealed: 2, delayMs: 30 });
});

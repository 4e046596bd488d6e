/**
 * A rolling 64-bit hash of a run's log, so that "the same run again" is one comparison; and where two logs part when it fails.
 * Two 32-bit multiplicative lanes over UTF-16 code units with a crossed murmur3 finaliser (the construction known as cyrb53,
 * public domain, kept to its full 64 bits). It detects accidents, not adversaries.
 */

/** Odd multipliers of the two lanes: 2^32 / golden ratio, and the second of cyrb53. */
const LANE_A = 0x9e3779b1;
const LANE_B = 0x5f356495;
const NEWLINE = 10;

/** Hash of the lines given so far, in order. A line is one record's JSON text without its line feed. */
export class LogHash {
  #a = 0xdeadbeef | 0;
  #b = 0x41c6ce57 | 0;

  /** Adds one line (its line feed is added here, so that where lines end counts). */
  update(line: string): void {
    let a = this.#a;
    let b = this.#b;
    for (let i = 0; i < line.length; i++) {
      const unit = line.charCodeAt(i);
      a = Math.imul(a ^ unit, LANE_A);
      b = Math.imul(b ^ unit, LANE_B);
    }
    this.#a = Math.imul(a ^ NEWLINE, LANE_A);
    this.#b = Math.imul(b ^ NEWLINE, LANE_B);
  }

  /** 16 lowercase hexadecimal digits; the hash may go on afterwards. */
  digest(): string {
    const a = finish(this.#a, this.#b);
    const b = finish(this.#b, a);
    return hex(b) + hex(a);
  }
}

/** The hash of a whole log, given as text with one record a line; a missing line feed at the very end makes no difference. */
export function hashText(text: string): string {
  const hash = new LogHash();
  for (const line of linesOf(text)) hash.update(line);
  return hash.digest();
}

/** The lines of a text; the empty piece after a closing line feed is not one. */
export function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** Where two logs part: the first line number (from 1) that differs, and both lines (undefined: that log had ended). */
export type Divergence = { readonly line: number; readonly a: string | undefined; readonly b: string | undefined };

/** The first differing line of two logs; undefined when they are the same. */
export function divergence(a: readonly string[], b: readonly string[]): Divergence | undefined {
  const length = Math.max(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return { line: i + 1, a: a[i], b: b[i] };
  return undefined;
}

const finish = (lane: number, other: number): number => {
  let h = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b);
  h ^= Math.imul(other ^ (other >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

const hex = (lane: number): string => lane.toString(16).padStart(8, "0");

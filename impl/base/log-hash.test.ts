import { expect, test } from "vitest";
import { divergence, hashText, LogHash } from "./log-hash.ts";

const hashOf = (...lines: string[]): string => {
  const hash = new LogHash();
  for (const line of lines) hash.update(line);
  return hash.digest();
};

test("a hash is 16 hexadecimal digits, the same for the same lines, and may go on after a digest", () => {
  const hash = new LogHash();
  hash.update('{"t":0}');
  const first = hash.digest();
  expect(first).toMatch(/^[0-9a-f]{16}$/);
  expect(hash.digest()).toBe(first);
  hash.update('{"t":1}');
  expect(hash.digest()).toBe(hashOf('{"t":0}', '{"t":1}'));
});

test("the hash of known lines never changes from one version to the next", () => {
  expect(hashOf()).toMatchInlineSnapshot(`"4c2764911aee976d"`);
  expect(hashOf('{"t":0,"who":"lab","ev":"run"}', '{"t":1,"who":"ä","ev":"note"}')).toMatchInlineSnapshot(`"1f2bcf2a98be5f3c"`);
});

test("one changed character, two lines swapped, or a line broken in two give another hash", () => {
  const base = hashOf("abc", "def");
  expect(hashOf("abd", "def")).not.toBe(base);
  expect(hashOf("def", "abc")).not.toBe(base);
  expect(hashOf("abcdef")).not.toBe(base);
  expect(hashOf("ab", "cdef")).not.toBe(base);
});

test("both halves of the hash tell a hundred thousand lines apart about as well as chance", () => {
  const low = new Set<string>();
  const high = new Set<string>();
  for (let i = 0; i < 100_000; i++) {
    const digest = hashOf(`{"t":${i}}`);
    high.add(digest.slice(0, 8));
    low.add(digest.slice(8));
  }
  // Birthday: 1.16 collisions expected in 32 bits.
  expect(low.size).toBeGreaterThan(99_980);
  expect(high.size).toBeGreaterThan(99_980);
});

test("the hash of a text is that of its lines, with or without the last line feed", () => {
  expect(hashText("abc\ndef\n")).toBe(hashOf("abc", "def"));
  expect(hashText("abc\ndef")).toBe(hashOf("abc", "def"));
});

test("two logs diverge at the first line that differs, or where one ends", () => {
  expect(divergence(["a", "b", "c"], ["a", "x", "c"])).toEqual({ line: 2, a: "b", b: "x" });
  expect(divergence(["a"], ["a", "b"])).toEqual({ line: 2, a: undefined, b: "b" });
  expect(divergence(["a"], ["a"])).toBeUndefined();
});

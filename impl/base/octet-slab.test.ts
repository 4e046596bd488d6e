import { expect, test } from "vitest";
import { freshOctets } from "./octet-slab.ts";

test("pieces are zero, of the wanted length and never overlap, over many slabs", () => {
  const pieces: Uint8Array[] = [];
  for (let i = 0; i < 3_000; i++) {
    const piece = freshOctets(i % 200);
    expect(piece.length).toBe(i % 200);
    expect(piece.every((octet) => octet === 0)).toBe(true);
    piece.fill((i % 255) + 1);
    pieces.push(piece);
  }
  expect(pieces.every((piece, i) => piece.every((octet) => octet === (i % 255) + 1))).toBe(true);
});

test("a long request gets an array of its own", () => {
  expect(freshOctets(10_000).buffer.byteLength).toBe(10_000);
});

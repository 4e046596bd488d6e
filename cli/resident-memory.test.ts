import { expect, test } from "vitest";
import { residentOf } from "./resident-memory.ts";

const mapping = (range: string, name: string, kilobytes: number): string =>
  `${range} rw-p 00000000 00:00 0 ${name === "" ? "" : `                         ${name}`}\nSize: 1 kB\nRss:                ${kilobytes} kB\nPss: 7 kB\nVmFlags: rd wr\n`;

test("of what is resident the C library's heap is the main arena and the threads' arenas, also where one is in two mappings", () => {
  const smaps = [
    mapping("00400000-00a00000", "/usr/bin/node", 100),
    mapping("01a00000-02a00000", "[heap]", 20),
    mapping("7f0004000000-7f0004321000", "", 3), // an arena
    mapping("7f0004321000-7f0008000000", "", 0),
    mapping("7f0008000000-7f0008021000", "", 4), // the next, right behind it
    mapping("7f0009000000-7f0009040000", "", 50), // none: V8's
    mapping("7f0009040000-7f0009080000", "", 50),
  ].join("");
  expect(residentOf(smaps)).toEqual({ all: 227 * 1_024, cHeap: 27 * 1_024 });
  expect(residentOf("")).toEqual({ all: 0, cHeap: 0 });
});

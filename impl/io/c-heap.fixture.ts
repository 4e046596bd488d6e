/** What the C library's heap holds, for tests of what is left in it (mallinfo2(3)). */
import { createRequire } from "node:module";

const COUNTS = [
  "arena",
  "ordblks",
  "smblks",
  "hblks",
  "hblkhd",
  "usmblks",
  "fsmblks",
  "uordblks",
  "fordblks",
  "keepcost",
] as const;

/** Octets that this process has taken of it and not given back; undefined where there is no glibc from 2.33 on. */
export const cHeapBytes: (() => number) | undefined = load();

function load(): (() => number) | undefined {
  try {
    const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
    const struct = koffi.struct(Object.fromEntries(COUNTS.map((name) => [name, "size_t"])));
    const mallinfo2 = koffi.load("libc.so.6").func("mallinfo2", struct, []) as () => Record<(typeof COUNTS)[number], number>;
    // What lies in arenas, and what is so large that it has a mapping of its own.
    return () => Number(mallinfo2().uordblks) + Number(mallinfo2().hblkhd);
  } catch {
    return undefined;
  }
}

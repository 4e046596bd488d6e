/** What of a process is resident in memory and whose it is, by its mappings (proc_pid_smaps(5)). */

/** Octets. */
export type Resident = {
  readonly all: number;
  /** Of the C library's heap: the main arena, which the kernel calls [heap], and those that threads have. */
  readonly cHeap: number;
};

/** Arenas of threads lie at multiples of that many octets (glibc's malloc/arena.c, HEAP_MAX_SIZE on 64-bit systems). */
const ARENA_BYTES = 1n << 26n;
const HEADER = /^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+ *(.*)$/;

/** `smaps`: all of /proc/PID/smaps. */
export function residentOf(smaps: string): Resident {
  let [all, cHeap] = [0, 0];
  let [isOfCHeap, isOfArena, end] = [false, false, 0n];
  for (const line of smaps.split("\n")) {
    const header = HEADER.exec(line);
    if (header !== null) {
      const [from, to] = [BigInt(`0x${header[1]}`), BigInt(`0x${header[2]}`)];
      const isNameless = header[3] === "";
      // What of an arena is not in use yet, or no more, is a mapping of its own right behind what is.
      isOfArena = isNameless && (from % ARENA_BYTES === 0n || (isOfArena && from === end));
      isOfCHeap = isOfArena || header[3] === "[heap]";
      end = to;
    }
    const octets = 1_024 * Number(/^Rss: +(\d+) kB$/.exec(line)?.[1] ?? 0);
    all += octets;
    if (isOfCHeap) cHeap += octets;
  }
  return { all, cHeap };
}

/** The last of what a process wrote to standard error, however much that was. */

/** chosen: some eighty lines, more than a stack trace with its cause. */
const KEPT_BYTES = 8_192;

export function stderrTail(): { add(chunk: Buffer): void; text(): string } {
  let kept = Buffer.alloc(0);
  let left = 0;
  return {
    add: (chunk) => {
      const all = Buffer.concat([kept, chunk]);
      left += Math.max(0, all.length - KEPT_BYTES);
      kept = all.subarray(-KEPT_BYTES);
    },
    /** With a first line that says how much is left out, when something is. */
    text: () => `${left === 0 ? "" : `(${left} octets before this)\n`}${kept.toString("utf8")}`.trim(),
  };
}

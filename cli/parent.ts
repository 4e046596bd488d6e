/** A process that is worth nothing without the one that started it: it ends when that one is gone, however that ended. */

/** Variable of the environment that asks for it, beside an IPC channel: a channel alone may be closed on purpose by whoever opened it. */
export const ENDS_WITH_PARENT = "MIDCALL_ENDS_WITH_PARENT";

/** Ends this process with `code` when the parent's end of its IPC channel closes, which the system does for a parent that was killed. */
export function endWithParent(code: number): void {
  if (process.env[ENDS_WITH_PARENT] === undefined || process.channel === undefined) return;
  process.once("disconnect", () => process.exit(code));
}

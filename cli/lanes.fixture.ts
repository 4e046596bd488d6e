/** Runs in real time, several at once. */

/**
 * What each job came to, in the order of `jobs`. Judge it afterwards: that keeps a processor busy for seconds, which the parties of the runs beside it would miss,
 * and this thread, which times their faults.
 */
export async function inLanes<Job, Ran>(
  jobs: readonly Job[],
  atOnce: number,
  run: (job: Job) => Promise<Ran>,
): Promise<Map<Job, Ran | Error>> {
  const ran = new Map<Job, Ran | Error>();
  const queue = [...jobs];
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const outcome = await run(next).catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
      ran.set(next, outcome);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return ran;
}

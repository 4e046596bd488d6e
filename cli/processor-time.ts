/** Processor time of benchmarks: what this process itself used, whatever else the machine does. */

/** Microseconds of processor time that `work` took, user and system. */
export function processorUs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** The upper one of two in the middle; NaN of nothing. */
export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** The growth of counters that a log gives as totals since a process began: one that falls has begun again from 0. */

/**
 * How much each total has grown since it was last seen under `name`; all count from 0 when one of them has fallen, or when they are totals `of`
 * something else than before. Remembers one set of totals a name.
 */
export function growth(): (name: string, totals: readonly number[], of?: string) => readonly number[] {
  const before = new Map<string, { readonly of: string; readonly totals: readonly number[] }>();
  return (name, totals, of = "") => {
    const last = before.get(name);
    before.set(name, { of, totals });
    if (last === undefined || last.of !== of || totals.some((total, index) => total < (last.totals[index] ?? 0))) return totals;
    return totals.map((total, index) => total - (last.totals[index] ?? 0));
  };
}

/** What a run has made and must unmake: in the opposite order, all of it even when some of it fails, and also what was still being made when it ended. */

export type Scope = {
  /** Makes something that `release` unmakes when the scope closes. Rejects when making it fails, or when the scope has closed meanwhile. */
  acquire<T>(make: () => Promise<T>, release: (made: T) => Promise<void>): Promise<T>;
  /** Waits for what is being made, then releases everything, the last first; rejects with the first failure once all has been tried. */
  close(): Promise<void>;
};

/** Makes one thing at a time: the next `acquire` comes after the last one has resolved. */
export function openScope(): Scope {
  const releases: (() => Promise<void>)[] = [];
  let making: Promise<unknown> = Promise.resolve();
  let isOver = false;
  const stopIfOver = (): void => {
    if (isOver) throw new Error("the run is over");
  };
  return {
    acquire: async (make, release) => {
      stopIfOver();
      const made = make();
      making = made.then(
        (one) => releases.push(() => release(one)),
        () => undefined,
      );
      await making;
      stopIfOver();
      return made;
    },
    close: async () => {
      isOver = true;
      await making;
      const failures: unknown[] = [];
      for (const release of releases.splice(0).reverse()) await release().catch((error: unknown) => failures.push(error));
      if (failures.length > 0) throw failures[0];
    },
  };
}

/** The two ways to say "this is our own bug": both throw, and the run's verdict becomes `crashed`. */

/** A fault of midcall itself, never of a peer, the network or the caller. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Throws InvariantError with `claim` when `holds` is false. */
export function invariant(holds: boolean, claim: string): asserts holds {
  if (!holds) throw new InvariantError(claim);
}

/** Marks a case the types say cannot happen; the compiler checks that every member of a union was handled. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable: ${JSON.stringify(value)}`);
}

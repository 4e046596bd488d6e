/**
 * A mutation: a named sabotage of impl/ that imitates a bug real call systems have had. It is a text replacement made when
 * a module loads, so that the product carries no test flag, and it ignores whitespace, so that it fits TypeScript source
 * and compiled JavaScript alike: `find` and `replace` therefore hold no type annotation.
 */

/** A sabotage of one module. */
export type Mutation = {
  readonly name: string;
  /** Module under the repository's root, with its TypeScript extension: `impl/core/relay.ts`. */
  readonly file: string;
  /** Text that occurs exactly once in `file`, whitespace aside. */
  readonly find: string;
  /** What stands there instead. */
  readonly replace: string;
  /** One sentence naming the real bug. */
  readonly imitates: string;
};

/** `source` without whitespace, and for each remaining character its position in `source`. */
function squeeze(source: string): { readonly text: string; readonly positions: readonly number[] } {
  const positions: number[] = [];
  let text = "";
  for (let i = 0; i < source.length; i++) {
    const character = source[i] ?? "";
    if (/\s/.test(character)) continue;
    text += character;
    positions.push(i);
  }
  return { text, positions };
}

/**
 * `source` with the mutation's text replaced. RangeError unless `find` occurs exactly once (whitespace aside): a mutation that
 * does not fit the code any more must not pass for one that was caught.
 */
export function applyMutation(source: string, mutation: Pick<Mutation, "name" | "find" | "replace">): string {
  const wanted = squeeze(mutation.find).text;
  if (wanted === "") throw new RangeError(`mutation ${mutation.name}: find is empty`);
  const { text, positions } = squeeze(source);
  const first = text.indexOf(wanted);
  if (first === -1) throw new RangeError(`mutation ${mutation.name}: its text does not occur in the source: ${mutation.find}`);
  if (text.indexOf(wanted, first + 1) !== -1) {
    throw new RangeError(`mutation ${mutation.name}: its text occurs more than once in the source: ${mutation.find}`);
  }
  const begin = positions[first] ?? 0;
  const end = (positions[first + wanted.length - 1] ?? 0) + 1;
  return source.slice(0, begin) + mutation.replace + source.slice(end);
}

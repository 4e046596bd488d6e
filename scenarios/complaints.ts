/** Collects what is wrong with a scenario while it is read, so that one reading tells everything. */
import { formatPlace, type Place, type Problem, show, unknownName } from "./problem.ts";

export type Complaints = {
  readonly problems: readonly Problem[];
  /** Notes a problem at a place. */
  say(place: Place, message: string): void;
  /** Adds problems found elsewhere. */
  add(problems: readonly Problem[]): void;
  /** Notes a problem unless `name` is among `known`; says whether it is. `noun` with its article: `a client`. */
  wantName(place: Place, noun: string, name: string, known: readonly string[]): boolean;
  /** Notes every value that occurs twice. */
  wantDistinct(place: Place, values: readonly string[]): void;
};

export function complaints(): Complaints {
  const problems: Problem[] = [];
  return {
    problems,
    say: (place, message) => void problems.push({ path: formatPlace(place), message }),
    add: (more) => void problems.push(...more),
    wantName(place, noun, name, known) {
      if (known.includes(name)) return true;
      problems.push(unknownName(place, noun, name, known));
      return false;
    },
    wantDistinct(place, values) {
      values.forEach((value, i) => {
        if (values.indexOf(value) < i)
          problems.push({ path: formatPlace([...place, i]), message: `${show(value)} is here twice: want it once` });
      });
    },
  };
}

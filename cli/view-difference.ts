/** What changed between two views of a run, place by place. */
import type { View } from "../impl/base/view.ts";

export type Change = { readonly place: string; readonly before: View | undefined; readonly after: View | undefined };

/**
 * Changes from `before` to `after`, in the order of the places: names joined by dots, positions in brackets (`parties.alice.core.call.stage`).
 * What is new or gone has one side undefined and is told as a whole, not part by part.
 */
export function differences(before: View | undefined, after: View | undefined, place = ""): Change[] {
  if (Object.is(before, after)) return [];
  if (isList(before) && isList(after)) {
    return Array.from({ length: Math.max(before.length, after.length) }, (_, i) =>
      differences(before[i], after[i], `${place}[${i}]`),
    ).flat();
  }
  if (isRecord(before) && isRecord(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names].flatMap((name) => differences(before[name], after[name], place === "" ? name : `${place}.${name}`));
  }
  return [{ place, before, after }];
}

const isList = (view: View | undefined): view is readonly View[] => Array.isArray(view);
const isRecord = (view: View | undefined): view is { readonly [name: string]: View } =>
  typeof view === "object" && view !== null && !Array.isArray(view);

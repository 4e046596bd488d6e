import { expect, test } from "vitest";
import { Instant } from "../base/units.ts";
import { Alarms, type Watched } from "./alarms.ts";
import { realClock } from "./quic-world.fixture.ts";

type One = { name: string; deadline: Instant | undefined } & Watched;
const one = (name: string, deadline: Instant): One => ({ name, deadline, watch: undefined });

test("each is told once when it is due: not before, not when its deadline moved back or was taken away, not when it was forgotten", async () => {
  const now = realClock();
  const told: [string, boolean][] = [];
  const ended = Promise.withResolvers<void>();
  const alarms = new Alarms<One>(now, (due) => {
    for (const { name, deadline } of due) told.push([name, now() >= (deadline ?? 0)]);
    if (due.some(({ name }) => name === "last")) ended.resolve();
  });
  const at = (ms: number): Instant => Instant(now() + ms * 1_000);
  const [first, moved, sooner, never, gone] = [
    one("first", at(5)),
    one("moved back", at(5)),
    one("sooner", at(40)),
    one("never", at(5)),
    one("gone", at(5)),
  ];
  for (const each of [first, moved, sooner, never, gone, one("last", at(30))]) alarms.watch(each);
  alarms.set();
  moved.deadline = at(20);
  sooner.deadline = at(10);
  never.deadline = undefined;
  alarms.watch(sooner);
  alarms.forget(gone);
  alarms.set();
  await ended.promise;
  alarms.close();
  const names = told.map(([name]) => name);
  expect(names.toSorted()).toEqual(["first", "last", "moved back", "sooner"]);
  expect(told.every(([, isDue]) => isDue)).toBe(true);
});

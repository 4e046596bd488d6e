import { expect, test } from "vitest";
import { openScope } from "./scope.ts";

test("everything is released, the last first, even when a release fails; the first failure is told", async () => {
  const scope = openScope();
  const released: string[] = [];
  for (const name of ["a", "b", "c"])
    await scope.acquire(
      async () => name,
      async (made) => {
        released.push(made);
        if (made !== "a") throw new Error(`cannot release ${made}`);
      },
    );
  await expect(scope.close()).rejects.toThrow("cannot release c");
  expect(released).toEqual(["c", "b", "a"]);
  await scope.close();
  expect(released).toHaveLength(3);
});

test("what is still being made when the scope closes is released too, and whoever made it goes no further", async () => {
  const scope = openScope();
  const made = Promise.withResolvers<string>();
  const released: string[] = [];
  const acquiring = scope.acquire(
    () => made.promise,
    async (one) => void released.push(one),
  );
  const closing = scope.close();
  made.resolve("late");
  await closing;
  expect(released).toEqual(["late"]);
  await expect(acquiring).rejects.toThrow("over");
  await expect(
    scope.acquire(
      async () => 1,
      async () => undefined,
    ),
  ).rejects.toThrow("over");
});

test("what could not be made is not released", async () => {
  const scope = openScope();
  await expect(
    scope.acquire(
      () => Promise.reject(new Error("no")),
      () => Promise.reject(new Error("released")),
    ),
  ).rejects.toThrow("no");
  await scope.close();
});

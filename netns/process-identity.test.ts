import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { hasVariable, isProcessAlive, ownIdentity, startTicks } from "./process-identity.ts";

test("this process is alive, and another one that had its id before is not", () => {
  const identity = ownIdentity();
  expect(isProcessAlive(identity)).toBe(true);
  expect(isProcessAlive(identity.replace(/ \d+ /, " 1 "))).toBe(false);
});

test("a process is dead once it has ended", async () => {
  const child = spawn("cat", { stdio: ["pipe", "ignore", "ignore"], env: { MARK: "yes" } });
  await once(child, "spawn");
  const pid = child.pid ?? 0;
  const identity = ownIdentity().replace(/^\d+ \d+/, `${pid} ${startTicks(pid)}`);
  expect(isProcessAlive(identity)).toBe(true);
  expect([hasVariable(pid, "MARK", "yes"), hasVariable(pid, "MARK", "no"), hasVariable(pid, "ARK", "yes")]).toEqual([
    true,
    false,
    false,
  ]);
  child.stdin.end();
  await once(child, "exit");
  expect(isProcessAlive(identity)).toBe(false);
  expect([startTicks(pid), hasVariable(pid, "MARK", "yes")]).toEqual([undefined, false]);
});

test("one that has ended is dead before its parent has waited for it", async () => {
  // A shell's child that ends when told to, at a time when the shell has become a program that never waits.
  const parent = spawn("sh", ["-c", "exec 3<&0; read line <&3 & echo $!; exec sleep 60"], { stdio: ["pipe", "pipe", "ignore"] });
  const [said] = (await once(parent.stdout, "data")) as [Buffer];
  const pid = Number(said.toString());
  const becomes = (): string => readFileSync(`/proc/${parent.pid}/comm`, "utf8");
  await expect.poll(becomes, { timeout: 10_000 }).toBe("sleep\n");
  expect(startTicks(pid)).toBeGreaterThan(0);
  parent.stdin.end("\n");
  const state = (): string | undefined => readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.[0];
  await expect.poll(state, { timeout: 10_000 }).toBe("Z");
  expect(startTicks(pid)).toBeUndefined();
  parent.kill("SIGKILL");
});

test.each(["", "1 1", "1 1 pid:[1]", "nonsense", "-1 1 pid:[1]"])("of %j nothing can be told", (identity) => {
  expect(isProcessAlive(identity)).toBeUndefined();
});

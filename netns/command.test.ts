import { describe, expect, test, vi } from "vitest";
import { ipBatch, requireMachine, run } from "./command.ts";
import { withBench } from "./topology-bench.fixture.ts";

/** A loaded machine takes its time: what hangs is told by deadlines inside. */
vi.setConfig({ testTimeout: 120_000 });

const refusal = (path: string | undefined, uid: number | undefined): unknown => {
  try {
    requireMachine(path, uid);
    return undefined;
  } catch (error) {
    return error;
  }
};

describe("a machine that cannot build namespaces is told what it lacks", () => {
  test("root", () => {
    expect(refusal("/usr/sbin", 1_000)).toMatchObject({ code: "not-root", message: expect.stringContaining("sudo") });
  });
  test("a command, and how to get it", async () => {
    expect(refusal("/nowhere", 0)).toMatchObject({
      code: "tool-missing",
      message: expect.stringContaining("apt-get install iproute2"),
    });
    await expect(run("midcall-no-such-command", [])).rejects.toMatchObject({ code: "tool-missing" });
  });
});

describe("a command that fails", () => {
  test("tells what it wrote to standard error", async () => {
    const told = { code: "command-failed", message: expect.stringContaining("out of cheese"), cause: expect.anything() };
    await expect(run("sh", ["-c", "echo out of cheese >&2; exit 3"])).rejects.toMatchObject(told);
  });
  test("in a batch is named with its own words", (context) =>
    withBench(context, async () => {
      const batch = ipBatch(["link show dev lo", "link show dev mc-none", "link show"]);
      await expect(batch).rejects.toMatchObject({
        code: "command-failed",
        message: expect.stringContaining("link show dev mc-none: "),
      });
    }));
  test("because the kernel has no such thing, or a name is taken, is told apart", (context) =>
    withBench(context, async () => {
      await expect(ipBatch(["link add mc-none type nosuchtype"])).rejects.toMatchObject({ code: "kernel-lacks" });
      await expect(run("sh", ["-c", "echo RTNETLINK answers: File exists >&2; exit 2"])).rejects.toMatchObject({
        code: "name-clash",
      });
    }));
});

test("a script's standard input reaches it whole, also when it is long", async () => {
  const long = "x".repeat(1 << 20);
  expect(await run("cat", [], long)).toBe(long);
});

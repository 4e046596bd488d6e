import { readlinkSync } from "node:fs";
import { getPriority } from "node:os";
import { afterEach, describe, expect, test } from "vitest";
import { ipLines, loadingRules, run } from "./command.ts";
import { goFirst } from "./precedence.ts";
import { openShells } from "./shell.ts";
import { party, withBench } from "./topology-bench.fixture.ts";

/** A namespace of a bench of its own, with one party in public. */
const inNamespace = (context: { skip(why: string): void }, body: (namespace: string) => Promise<void>): Promise<void> =>
  withBench(context, async (bench) => body((await bench.build({}, { alice: party({ wlan0: null }) })).namespaceOf("alice")));

describe("a shell that waits in a namespace", () => {
  const shells = openShells();
  afterEach(() => shells.close());

  test("does one script after the other there, and says what each printed and nothing else", (context) =>
    inNamespace(context, async (namespace) => {
      const own = openShells();
      const shell = own.in(namespace);
      expect(own.in(namespace)).toBe(shell);
      const long = "y".repeat(200_000);
      const said = await Promise.all([
        shell("sleep 0.05; echo one; echo aside >&2"),
        shell("true"),
        shell(`printf %s '${long.slice(0, 100_000)}'; printf %s '${long.slice(100_000)}'`),
        shell("printf 'no line end, é'"),
        shell("cat; read x || echo nothing to read"),
      ]);
      expect(said).toEqual(["one\n", "", long, "no line end, é", "nothing to read\n"]);
      expect(await shell(ipLines(["link show dev wlan0"]))).toContain("wlan0");
      await shell(loadingRules("table inet midcall-shell { }"));
      expect(await shell("nft list tables")).toContain("midcall-shell");
      await own.close();
    }));

  test("says what failed, in the words of the command, and goes on with the next script", (context) =>
    inNamespace(context, async (namespace) => {
      const shell = shells.in(namespace);
      await expect(shell(ipLines(["link show dev lo", "link show dev mc-none"]))).rejects.toMatchObject({
        name: "NetnsError",
        code: "command-failed",
        message: expect.stringMatching(/link show dev mc-none: .*does not exist/s),
      });
      await expect(shell("false; echo not reached")).rejects.toMatchObject({ code: "command-failed" });
      expect(await shell("echo still here")).toBe("still here\n");
    }));

  test("that dies, or cannot be, fails what it was asked", (context) =>
    inNamespace(context, async (namespace) => {
      await expect(shells.in(namespace)("kill -9 $$; sleep 0.1")).rejects.toMatchObject({
        message: expect.stringContaining("the shell has ended"),
      });
      await expect(shells.in(namespace)("echo")).rejects.toMatchObject({ code: "command-failed" });
      await expect(shells.in("mc-no-such-namespace")("echo")).rejects.toMatchObject({
        message: expect.stringContaining("mc-no-such-namespace"),
      });
    }));

  test("closed, leaves no process in the namespace", (context) =>
    inNamespace(context, async (namespace) => {
      const before = await run("ip", ["netns", "pids", namespace]);
      const own = openShells();
      await own.in(namespace)("true");
      expect(await run("ip", ["netns", "pids", namespace])).not.toBe(before);
      await own.close();
      await own.close();
      expect(await run("ip", ["netns", "pids", namespace])).toBe(before);
    }));
});

test("the thread that times a run goes before ordinary work as long as one of its runs lasts", (context) => {
  if (process.getuid?.() !== 0) context.skip("it needs root");
  const thread = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
  const before = getPriority(thread);
  const ends = [goFirst(), goFirst()];
  expect(getPriority(thread)).toBe(-15);
  ends[0]?.();
  ends[0]?.();
  expect(getPriority(thread)).toBe(-15);
  ends[1]?.();
  expect(getPriority(thread)).toBe(before);
});

/**
 * `npm test` after the linters: tests in virtual time, at a low priority, beside those in real time, which keep both processors only half busy. Parties, links and
 * faults of real-time runs go before all ordinary work (netns/precedence.ts), so neither disturbs the other. `npm test -- FILE...` is one `vitest run FILE...`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";

const ROOT = join(import.meta.dirname, "..");
/** Each installs what its tests need; here, so that the two runs find it there and do not install it at the same time. */
const SETUPS = ["netns/install", "cli/prometheus", "cli/browser", "cli/codec2"];
/** chosen: a fifteenth of ordinary work's share of a processor (setpriority(2)). */
const NICENESS = 12;

const vitest = (words: readonly string[], isQuiet: boolean): ChildProcess =>
  spawn(process.execPath, [join(ROOT, "node_modules/vitest/vitest.mjs"), "run", ...words], {
    cwd: ROOT,
    stdio: ["ignore", isQuiet ? "pipe" : "inherit", isQuiet ? "pipe" : "inherit"],
  });
const codeOf = async (child: ChildProcess): Promise<number> => ((await once(child, "close")) as [number | null])[0] ?? 1;

const words = process.argv.slice(2);
if (words.length > 0) {
  process.exitCode = await codeOf(vitest(words, false));
} else {
  for (const name of SETUPS) {
    const module = (await import(join(ROOT, `${name}.setup.ts`))) as { default: () => Promise<void> };
    await module.default();
  }
  console.log("tests in virtual time: run beside those in real time, printed after them");
  const virtual = vitest(["--project", "virtual"], true);
  if (virtual.pid !== undefined) setPriority(virtual.pid, NICENESS);
  const real = vitest(["--project", "!virtual"], false);
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      for (const child of [virtual, real]) child.kill(signal);
      process.exitCode = 128 + constants.signals[signal];
    });
  const printed = Promise.all([virtual.stdout, virtual.stderr].map((stream) => (stream === null ? Buffer.of() : buffer(stream))));
  const codes = await Promise.all([codeOf(virtual), codeOf(real)]);
  for (const text of await printed) process.stdout.write(text);
  process.exitCode ??= Math.max(...codes);
}

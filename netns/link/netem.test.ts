/** The netem driver under a kernel that has tc-netem: the machine's own where it does (link.test.ts), else Debian's in a guest. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { expect, test } from "vitest";
import { run } from "../command.ts";
import { lacks } from "../install.ts";
import { offeredDrivers } from "./attach.ts";
import { noGuest, runGuest } from "./guest.fixture.ts";

/** Tests of link.contract.ts. */
const TESTS = 14;
/** chosen: three minutes and a half of a processor, of which the guest gets only what nobody else wants; installing and a busy machine take the rest. */
const LIMIT_MS = 1_800_000;

async function isOffered(): Promise<boolean> {
  const bench = `mc-${randomBytes(3).toString("hex")}-probe`;
  await run("ip", ["netns", "add", bench]);
  try {
    return (await offeredDrivers(bench)).includes("netem");
  } finally {
    await run("ip", ["netns", "del", bench]);
  }
}

/** One file that needs no node_modules. */
async function bundle(entry: string, to: string): Promise<void> {
  const built = await rolldown({
    input: join(import.meta.dirname, entry),
    platform: "node",
    resolve: { alias: { vitest: join(import.meta.dirname, "guest-suite.fixture.ts") } },
  });
  await built.write({ file: to, format: "cjs", codeSplitting: false });
  await built.close();
}

test("the netem driver keeps the links' contract", { timeout: LIMIT_MS }, async (context) => {
  const lacking = (await lacks()).map(({ what }) => what).join("; ");
  context.skip(lacking !== "", lacking);
  if (await isOffered()) return; // held to it by link.test.ts
  const missing = await noGuest();
  context.skip(missing !== undefined, missing);
  const folder = await mkdtemp(join(tmpdir(), "midcall-netem-"));
  try {
    const [suite, end] = [join(folder, "suite.cjs"), join(folder, "udp-end.cjs")];
    await bundle("netem-guest.fixture.ts", suite);
    await bundle("udp-end.fixture.ts", end);
    const { output, status } = await runGuest({
      programs: [process.execPath, "ip", "tc", "nft"],
      modules: ["veth", "bridge", "sch_netem", "sch_tbf", "sch_htb", "cls_u32", "nf_tables", "nft_numgen"],
      files: new Map([
        ["suite/suite.cjs", suite],
        ["suite/udp-end.fixture.ts", end],
      ]),
      command: "cd /suite && node --test-reporter=tap suite.cjs",
      limitMs: LIMIT_MS - 60_000,
    });
    const failed = [...output.matchAll(/^\s*not ok .*$/gm)].map(([line]) => line.trim());
    expect(failed, output).toEqual([]);
    expect(status, output).toBe(0);
    expect(/^# pass (\d+)/m.exec(output)?.[1], output).toBe(String(TESTS));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

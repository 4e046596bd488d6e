/** Lists and rtpdump of a benchmark's links, as files that other stacks can be fed. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PACKETS, SEEDS } from "./bench-jitter.ts";
import { parseTrace } from "./link-trace.ts";
import { tracedLinks, writeTraces } from "./write-traces.ts";

test("every seed of a link is a list and an rtpdump: the very delays that the benchmark uses", async () => {
  const folder = await mkdtemp(join(tmpdir(), "midcall-traces-"));
  try {
    const links = tracedLinks("neteq", false, "loss 30 %");
    await writeTraces(folder, links);
    const names = SEEDS.flatMap((seed) => [`loss-30--${seed}.rtpdump`, `loss-30--${seed}.txt`]);
    expect((await readdir(folder)).toSorted()).toEqual(names.toSorted());
    const list = parseTrace(await readFile(join(folder, "loss-30--2.txt"), "utf8"));
    expect(list).toEqual(links?.[0]?.delays(2, PACKETS));
    const dump = await readFile(join(folder, "loss-30--2.rtpdump"));
    expect(dump.subarray(0, 12).toString()).toBe("#!rtpplay1.0");
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("the grid's links are written for fec and jitter, and a subject without lists is refused", () => {
  expect(tracedLinks("fec", true)).toHaveLength(87);
  expect(tracedLinks("jitter", true, "G.1050 D")).toMatchObject([{ name: "G.1050 D" }]);
  expect(tracedLinks("jitter", false)?.map(({ name }) => name)).toContain("jitter 50 ms");
  expect(() => tracedLinks("fec", false)).toThrow("want bench jitter or neteq, or bench fec --grid");
  expect(() => tracedLinks("codec", true)).toThrow("--traces: bench codec has no lists");
});

import { mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LogRecord } from "../impl/base/record.ts";
import { kill, scenario } from "../scenarios/index.ts";
import { runSim } from "../sim/lab.ts";
import { nullCrypto } from "../sim/null-crypto.ts";
import { sizedCodec } from "../sim/sized-codec.ts";
import { EXIT } from "./exit.ts";
import { midcall, type Said } from "./recorded-terminal.fixture.ts";
import { datagramsOf, internalsDump, pcap, pcapng, table } from "./reproduce/field-files.fixture.ts";

let folder = "";
let records: readonly LogRecord[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcall-reproduce-"));
  const access = { link: { profile: "broadband", delay: "30ms" } };
  const happened = scenario({
    name: "field",
    asks: "?",
    duration: "16s",
    parties: { alice: access, bob: access, r1: { role: "relay" } },
    faults: [kill("r1", { at: "6.3s", for: "2.6s" })],
    expect: [],
  });
  const outcome = runSim({ scenario: happened, seed: 99 }, { codec: sizedCodec, crypto: nullCrypto });
  records = outcome.records;
  const files: Record<string, string | Uint8Array> = {
    "call.ndjson": outcome.lines.map((line) => `${line}\n`).join(""),
    "rtp.pcap": pcap(datagramsOf(records, "alice", "rtp"), true),
    "rtp-be.pcap": pcap(datagramsOf(records, "alice", "rtp"), false),
    "quic.pcapng": pcapng(datagramsOf(records, "alice", "quic")),
    "dump.txt": internalsDump(records, "alice"),
    "figures.csv": table(records, "alice"),
    "cut.pcap": pcap(datagramsOf(records, "alice", "rtp"), true).slice(0, -31),
    "empty.ndjson": "",
    "noise.bin": Uint8Array.from({ length: 5_000 }, (_, i) => (i * 7_919) >> 3),
    "other.json": '{"PeerConnections": {}, "UserAgent": "x"}',
    "cut.json": internalsDump(records, "alice").slice(0, 900),
    "log-of-lies.ndjson": '{"ev":"party"}\n{"ev":',
    "no-heads.csv": "1,2,3\n4,5,6\n",
    "bad-number.csv": "time,loss\n1,0\n2,much\n",
    "backwards.csv": "time,loss\n2,0\n1,0\n",
    "text.txt": "hello\n",
    "packed.gz": new Uint8Array([0x1f, 0x8b, 8, 0]),
    "http.pcap": pcap([], true),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const reproduce = (...words: string[]): Promise<Said> => midcall(folder, ["reproduce", ...words]);

describe("every format of recording leads to the same gap", () => {
  test.each([
    ["call.ndjson", "event-log", "relay-restart"],
    ["rtp.pcap", "capture", undefined],
    ["rtp-be.pcap", "capture", undefined],
    ["quic.pcapng", "capture", undefined],
    ["dump.txt", "webrtc-internals", undefined],
    ["figures.csv", "table", undefined],
  ])("%s", async (file, format, cause) => {
    const said = await reproduce(file, "--json", "--out", `out-${file}`);
    expect(said.err).toBe("");
    expect(said.code).toBe(EXIT.held);
    const told = JSON.parse(said.out);
    expect(told).toMatchObject({ format, isShown: true });
    const [gap] = told.gaps;
    // The truth: the relay was away for 2.6 s; a table knows it to one of its lines.
    expect(Math.abs(gap.recordedMs - 2_800)).toBeLessThan(format === "table" ? 1_100 : 250);
    expect(Math.abs(gap.errorPercent)).toBeLessThan(15);
    if (cause !== undefined) expect(gap).toMatchObject({ explanation: cause, certainty: "clear" });
    else if (format === "table") expect(gap.certainty).toBe("open");
    expect(await readdir(join(folder, told.dir))).toEqual(
      expect.arrayContaining(["report.html", "reproduction.json", "reproduction.md", "run.ndjson", "scenario.json"]),
    );
  });

  test("the block says what was inferred, how surely, and what could not be known", async () => {
    const said = await reproduce("call.ndjson");
    expect(said.out).toMatch(/^shown again {2}call\.ndjson {2}sim {2}seed 0x1\n/);
    expect(said.out).toContain("inferred, and no other explanation fits: the relay died and came back without its memory");
    expect(said.out).toContain("not known: how the round trip splits");
    expect(said.out).toMatch(/gap of \d+(\.\d)? ms, \d+\.\d{3} s into the call: shown with \d+/);
    expect(said.out).toMatch(/\nreplay: npx midcall replay out\/reproduce\/call\/scenario\.json\nreport: /);
    const replayed = await midcall(folder, ["replay", "out/reproduce/call"]);
    expect(replayed.code).toBe(EXIT.held);
    expect(replayed.out).toContain(": the same");
  });
});

describe("a recording that cannot be used is refused, and nothing is left behind", () => {
  test.each([
    [["nowhere.pcap"], "nowhere.pcap: there is no such file"],
    [["."], ".: it is no file"],
    [["empty.ndjson"], "empty.ndjson: it is empty"],
    [["noise.bin"], "noise.bin: no known format"],
    [["text.txt"], "text.txt: no known format"],
    [["packed.gz"], "packed.gz: it is compressed; unpack it: gunzip packed.gz"],
    [["other.json"], "other.json: no incoming audio in it"],
    [["cut.json"], "cut.json: it is not whole"],
    [["log-of-lies.ndjson"], "log-of-lies.ndjson: no line of it is a record (line 1: unknown ev"],
    [["no-heads.csv"], "no-heads.csv: the columns are 1, 2, 3; want time and at least one of rtt, loss, jitter"],
    [["bad-number.csv"], 'bad-number.csv, line 3: loss is "much"'],
    [["backwards.csv"], "backwards.csv, line 3: time 1 does not come after the line before"],
    [["http.pcap"], "http.pcap: no UDP flow in it"],
    [["call.ndjson", "--party", "carol"], "--party carol: it heard nothing in call.ndjson; want one of alice, bob"],
    [["call.ndjson", "--local", "10.0.0.1"], "--local 10.0.0.1: call.ndjson is no capture"],
    [["rtp.pcap", "--local", "192.0.2.1"], "--local 192.0.2.1: the busiest flow of rtp.pcap is between"],
  ])("%j", async (words, why) => {
    const said = await reproduce(...words, "--out", "nothing");
    expect(said.code).toBe(EXIT.usage);
    expect(said.err).toContain(why);
    expect(said.err.split("\n")).toHaveLength(1);
    expect(await readdir(folder)).not.toContain("nothing");
  });

  test("a capture that is cut short is used as far as it goes, and that is said", async () => {
    const said = await reproduce("cut.pcap", "--json", "--out", "out-cut");
    expect(said.code).toBe(EXIT.held);
    expect(JSON.parse(said.out).remarks).toContainEqual(
      expect.stringMatching(/^the capture ends early: the packet at octet \d+ is cut short$/),
    );
  });

  test("a recording without a gap has nothing to show again", async () => {
    const lines = records.filter((record) => record.t < 6_000_000).map((record) => `${JSON.stringify(record)}\n`);
    await writeFile(join(folder, "fine.ndjson"), lines.join(""));
    const said = await reproduce("fine.ndjson");
    expect(said.code).toBe(EXIT.inconclusive);
    expect(said.err).toContain("no gap of 100 ms or more");
  });

  test("a capture with a hole in it is used up to the hole, however large the file is", async () => {
    const path = join(folder, "huge.pcap");
    await writeFile(path, pcap(datagramsOf(records, "alice", "rtp"), true));
    await truncate(path, 2 ** 31);
    const said = await reproduce("huge.pcap", "--json", "--out", "out-huge");
    expect(said.code).toBe(EXIT.held);
    expect(JSON.parse(said.out).remarks).toContainEqual(
      expect.stringMatching(/ends early: the packet at octet \d+ claims 0 octets$/),
    );
  });
});
